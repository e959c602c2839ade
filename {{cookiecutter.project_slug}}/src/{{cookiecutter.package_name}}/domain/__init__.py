"""What this service is about, in the standard library alone: no HTTP, no SQL, no settings."""
