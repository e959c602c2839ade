"""The command line: a command and its modules are imported only when it is called."""

import argparse
import os
from pkgutil import resolve_name

from .config.loader import ConfigurationError, load_settings, misspelt, placeholders
from .observability import logs, tracing
from .service import Service

WITHOUT_CONFIGURATION = {"openapi"}


def main(service: Service, argv: list[str]) -> int:
    """Run one command and return its exit code: 2 for wrong usage, 78 for a bad configuration."""
    logs.configure()
    try:
        return _run(service, argv)
    except ConfigurationError as error:
        logs.log.critical("invalid configuration", problems=error.problems)
        return os.EX_CONFIG


def _run(service: Service, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__.partition('.')[0]}")
    menu = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, command in service.commands.items():
        menu.add_parser(name, help=command.help, description=command.help)
    name = parser.parse_args(argv[:1]).command

    command = service.commands[name]
    tracing.validate_propagators(os.environ)
    run = resolve_name(command.function)
    options = argparse.ArgumentParser(prog=f"{parser.prog} {name}", description=command.help)
    if command.options:
        resolve_name(command.options)(options)
    arguments = options.parse_args(argv[1:])

    if name in WITHOUT_CONFIGURATION:
        return int(run(service, placeholders(service.settings), arguments))
    settings = load_settings(service.settings)
    tracing.validate(settings, os.environ)
    logs.configure(settings)
    service.start(settings)
    for unknown, known in misspelt(os.environ, service.settings).items():
        logs.log.warning("unknown variable", variable=unknown, did_you_mean=known)
    return int(run(service, settings, arguments))
