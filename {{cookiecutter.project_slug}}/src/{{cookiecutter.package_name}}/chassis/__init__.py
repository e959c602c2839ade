"""The microservice chassis: the same in every service; it imports nothing of the service."""

TEMPLATE = "{{ cookiecutter._version }}"
"""Version of the template that this chassis comes from; `make update` brings the next."""
