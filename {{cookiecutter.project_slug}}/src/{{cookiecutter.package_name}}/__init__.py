"""{{ cookiecutter.project_slug }}: start reading in `main.py`."""

TEMPLATE = "{{ cookiecutter._version }}"
"""The version of the template that this code has; `make update` brings the next."""
