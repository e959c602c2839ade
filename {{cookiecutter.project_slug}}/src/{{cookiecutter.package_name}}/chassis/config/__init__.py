"""Configuration from environment variables and secret files."""
