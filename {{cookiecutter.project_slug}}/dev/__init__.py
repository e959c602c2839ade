"""Development tools; not part of the service or its image."""
