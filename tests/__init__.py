"""Tests of the template, its renders, and the running services."""
