"""What every render must be: files, format, lint, types, hostile answers, reproducible bytes."""
