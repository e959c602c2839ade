"""Fixtures and helpers that the tests share."""
