"""Modules that the template's Makefile, tests and benchmark share."""
