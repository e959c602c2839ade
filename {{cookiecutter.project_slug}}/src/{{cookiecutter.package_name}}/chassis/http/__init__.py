"""HTTP: the server, its connections, middleware, problem details and health endpoints."""
