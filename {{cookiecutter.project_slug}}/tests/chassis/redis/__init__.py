"""Tests of Redis: outages, rotation, rate limit."""
