"""A Python prompt inside the service, or one piece of code without a terminal."""

import asyncio
import code
from argparse import ArgumentParser, Namespace

from ..lifecycle import open_resources
from ..settings import Settings


def add_options(options: ArgumentParser) -> None:
    """`-c CODE` runs CODE instead of reading from a terminal."""
    options.add_argument("-c", dest="code", metavar="CODE", help="run CODE and exit")


def run(settings: Settings, arguments: Namespace) -> int:
    """Offer `settings`, what is open as `resources`, and `run` for what must be awaited."""
    with asyncio.Runner() as runner:
        opening = open_resources(settings, "shell")
        resources = runner.run(opening.__aenter__())
        names = {"settings": settings, "resources": resources, "run": runner.run}
        try:
            if arguments.code is not None:
                exec(compile(arguments.code, "<shell>", "exec"), names)  # noqa: S102
            else:
                code.interact(f"You have {', '.join(names)}.", local=names, exitmsg="")
        finally:
            runner.run(opening.__aexit__(None, None, None))
    return 0
