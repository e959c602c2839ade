"""`python -m {{ cookiecutter.package_name }} COMMAND`: declares this service to the chassis and runs one command."""

import sys

from .chassis import startup
from .chassis.cli import main
from .chassis.service import Command, Service
from .settings import Settings

startup.complete()

PACKAGE = "{{ cookiecutter.package_name }}"
CHASSIS = f"{PACKAGE}.chassis.commands"

SERVICE = Service(
    settings=Settings,
    resources=f"{PACKAGE}.resources:open_resources",
    web=f"{PACKAGE}.main:create_app",
    {% if cookiecutter.worker %}
    worker=f"{PACKAGE}.worker:create_app",
    {% endif %}
    {% if cookiecutter.database == "mongodb" %}
    migrate=f"{PACKAGE}.orders.indexes:migrate",
    {% endif %}
    {% if cookiecutter.database == "postgresql" %}
    migrate=f"{PACKAGE}.chassis.postgres.schema:migrate",
    {% endif %}
    commands={
        "web": Command(f"{CHASSIS}.web", "serve HTTP until SIGTERM"),
        {% if cookiecutter.worker %}
        "worker": Command(f"{CHASSIS}.worker", "run jobs until SIGTERM"),
        "jobs": Command(f"{CHASSIS}.jobs", "list, retry or discard failed jobs"),
        {% endif %}
        {% if cookiecutter.database != "none" %}
        "migrate": Command(f"{CHASSIS}.migrate", "migrate the database to the newest schema"),
        "cleanup": Command(f"{PACKAGE}.orders.cleanup", "delete old orders"),
        {% endif %}
        "check": Command(f"{CHASSIS}.check", "validate the configuration, ping backing services"),
        "openapi": Command(f"{CHASSIS}.openapi", "print the OpenAPI document"),
        "shell": Command(f"{CHASSIS}.shell", "open a Python prompt with settings and resources"),
    },
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
