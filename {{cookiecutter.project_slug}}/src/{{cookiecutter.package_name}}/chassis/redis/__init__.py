"""Redis: URL, client and rate limiter."""
