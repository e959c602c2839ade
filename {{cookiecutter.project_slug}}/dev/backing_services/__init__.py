"""Backing services of `make run`: each module has a `provided`, which sets one URL."""
