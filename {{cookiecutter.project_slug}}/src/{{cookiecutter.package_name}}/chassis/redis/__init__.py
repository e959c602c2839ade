"""Redis: URL, client and the rate limiter that all replicas share."""
