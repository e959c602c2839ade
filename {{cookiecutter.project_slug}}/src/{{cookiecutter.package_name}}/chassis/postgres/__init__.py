"""PostgreSQL: URL, connection pool, readiness and migrations."""
