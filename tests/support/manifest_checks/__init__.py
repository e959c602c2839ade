"""Checks of manifests against each other, the settings of the service, and its Compose files.

They run with the Python of a rendered service, in its folder: see `__main__.py`.
"""
