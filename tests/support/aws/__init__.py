"""Runs the Pulumi program of a render in moto; see `__main__.py`."""
