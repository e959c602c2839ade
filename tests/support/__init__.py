"""Fixtures and rigs that the tests share."""
