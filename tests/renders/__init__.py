"""Checks of every render: files, format, lint, types, hostile answers, reproducible bytes."""
