"""The process menu: a command is a module of its own, imported only when it is asked for."""

import argparse
import importlib
import os

from . import exits, logs
from .environment import ConfigurationError, load_settings, misspelt
from .settings import Settings

COMMANDS = {
    "web": "serve HTTP until told to stop",
    {% if cookiecutter.database != "none" %}
    "migrate": "bring the schema of the database up to date",
    "cleanup": "delete old orders",
    {% endif %}
    {% if cookiecutter.worker %}
    "worker": "do jobs until told to stop",
    "jobs": "list, retry or discard failed jobs",
    {% endif %}
    "check": "show the configuration and ask each backing service, exit 0 if all is well",
    "openapi": "print the OpenAPI document",
    "shell": "a Python prompt with the service's settings and resources",
}
WITHOUT_CONFIGURATION = {"openapi"}


def main(argv: list[str]) -> int:
    """Run one command and return its exit status: 2 for wrong usage, 78 for wrong configuration."""
    logs.configure()
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}")
    menu = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, purpose in COMMANDS.items():
        menu.add_parser(name, help=purpose, description=purpose)
    name = parser.parse_args(argv[:1]).command

    command = importlib.import_module(f".commands.{name}", __package__)
    options = argparse.ArgumentParser(prog=f"{parser.prog} {name}", description=COMMANDS[name])
    if hasattr(command, "add_options"):
        command.add_options(options)
    arguments = options.parse_args(argv[1:])

    if name in WITHOUT_CONFIGURATION:
        return int(command.run(Settings.model_construct(), arguments))
    try:
        settings = load_settings()
    except ConfigurationError as error:
        logs.log.critical("configuration refused", problems=error.problems)
        return exits.CONFIG
    logs.configure(settings)
    for unknown, known in misspelt(os.environ).items():
        logs.log.warning("unknown variable", variable=unknown, did_you_mean=known)
    return int(command.run(settings, arguments))
