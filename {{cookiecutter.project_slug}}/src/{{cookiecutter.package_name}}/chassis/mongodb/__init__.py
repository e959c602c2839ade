"""MongoDB: URL, client, readiness and indexes."""
