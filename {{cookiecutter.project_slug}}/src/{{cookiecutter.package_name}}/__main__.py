"""`python -m {{ cookiecutter.package_name }} COMMAND`: declares this service, runs a command."""

import sys

from .chassis import startup
from .chassis.cli import main
from .chassis.service import Command, Service
{% if cookiecutter.database != "none" %}
from .orders import COMMANDS as ORDERS
{% endif %}
from .settings import Settings

startup.complete()

PACKAGE = "{{ cookiecutter.package_name }}"
CHASSIS = f"{PACKAGE}.chassis"
COMMANDS = f"{CHASSIS}.commands"

SERVICE = Service(
    settings=Settings,
    resources=f"{PACKAGE}.resources:open_resources",
    {% if cookiecutter.sentry %}
    on_start=[f"{PACKAGE}.chassis.observability.sentry:open_sentry"],
    {% endif %}
    commands={
        "web": Command(
            "serve HTTP until SIGTERM", f"{CHASSIS}.http.server:run", f"{PACKAGE}.main:create_app"
        ),
        {% if cookiecutter.worker %}
        "worker": Command(
            "run jobs until SIGTERM", f"{CHASSIS}.jobs.server:run", f"{PACKAGE}.worker:create_app"
        ),
        "jobs": Command(
            "list, retry or discard failed jobs",
            f"{CHASSIS}.jobs.command:run",
            options=f"{CHASSIS}.jobs.command:add_options",
        ),
        {% endif %}
        {% if cookiecutter.events %}
        "project": Command(
            "show, rebuild or unblock projections",
            f"{CHASSIS}.events.command:run",
            f"{PACKAGE}.projections:create_projector",
            f"{CHASSIS}.events.command:add_options",
        ),
        {% endif %}
        {% if cookiecutter.database == "mongodb" %}
        "migrate": Command(
            "create missing indexes", f"{CHASSIS}.migrate:run", f"{PACKAGE}.indexes:migrate"
        ),
        {% endif %}
        {% if cookiecutter.database == "postgresql" %}
        "migrate": Command(
            "migrate the database to the newest schema",
            f"{CHASSIS}.migrate:run",
            f"{CHASSIS}.postgres.schema:migrate",
        ),
        {% endif %}
        {% if cookiecutter.database != "none" %}
        **ORDERS,
        {% endif %}
        "check": Command("validate the configuration, ping backing services", f"{COMMANDS}:check"),
        "openapi": Command(
            "print the OpenAPI document", f"{COMMANDS}:openapi", f"{PACKAGE}.main:create_app"
        ),
        "shell": Command(
            "open a Python prompt with settings and resources",
            f"{COMMANDS}:shell",
            options=f"{COMMANDS}:shell_options",
        ),
    },
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
