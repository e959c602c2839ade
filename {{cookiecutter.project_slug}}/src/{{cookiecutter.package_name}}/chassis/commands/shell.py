"""Open a Python prompt with the resources of the service, or run code without a terminal."""

import asyncio
import code
from argparse import ArgumentParser, Namespace

from ..config.settings import BaseServiceSettings
from ..service import Service


def add_options(options: ArgumentParser) -> None:
    """`-c CODE` runs CODE instead of reading from a terminal."""
    options.add_argument("-c", dest="code", metavar="CODE", help="run CODE and exit")


def run(service: Service, settings: BaseServiceSettings, arguments: Namespace) -> int:
    """Provide `settings`, open `resources`, and `run` to await a coroutine."""
    with asyncio.Runner() as runner:
        opening = service.open_resources(settings, "shell")
        resources = runner.run(opening.__aenter__())
        names = {"settings": settings, "resources": resources, "run": runner.run}
        try:
            if arguments.code is not None:
                exec(compile(arguments.code, "<shell>", "exec"), names)  # noqa: S102
            else:
                code.interact(f"Names: {', '.join(names)}.", local=names, exitmsg="")
        finally:
            runner.run(opening.__aexit__(None, None, None))
    return 0
