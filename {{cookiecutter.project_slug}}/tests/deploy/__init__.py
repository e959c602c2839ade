"""What is deployed agrees with itself, with the settings and with Compose."""
