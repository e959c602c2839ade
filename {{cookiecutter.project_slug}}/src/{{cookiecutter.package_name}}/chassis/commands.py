"""The commands of every service that run once and exit: `check`, `openapi` and `shell`."""

import asyncio
import code
import json
import os
from argparse import ArgumentParser, Namespace
from logging import ERROR, INFO

from .config.loader import describe
from .config.settings import BaseServiceSettings
from .observability.logs import log
from .readiness import Readiness
from .service import Service


def check(service: Service, settings: BaseServiceSettings, _: Namespace) -> int:
    """Log each variable and each ping; return 0, or 69 if a backing service is unavailable."""
    for variable, source, value in describe(settings):
        log.info("setting", variable=variable, source=source, value=value)
    checks = asyncio.run(_ping(service, settings))
    for name, result in checks.items():
        log.log(INFO if result == "ok" else ERROR, "backing service", name=name, result=result)
    return 0 if set(checks.values()) <= {"ok"} else os.EX_UNAVAILABLE


async def _ping(service: Service, settings: BaseServiceSettings) -> dict[str, str]:
    readiness = Readiness()
    async with service.open_resources(settings, "check") as resources:
        readiness.pings = resources.pings
        return await readiness.checks()


def openapi(service: Service, settings: BaseServiceSettings, _: Namespace) -> int:
    """Print the OpenAPI document on stdout; needs no configuration."""
    app = service.target("openapi")(settings, Readiness())
    print(json.dumps(app.openapi(), indent=2))
    return 0


def shell_options(options: ArgumentParser) -> None:
    """`-c CODE` runs CODE instead of reading from a terminal."""
    options.add_argument("-c", dest="code", metavar="CODE", help="run CODE and exit")


def shell(service: Service, settings: BaseServiceSettings, arguments: Namespace) -> int:
    """Provide `settings`, open `resources`, and `run` to await a coroutine."""
    with asyncio.Runner() as runner:
        opening = service.open_resources(settings, "shell")
        resources = runner.run(opening.__aenter__())
        names = {"settings": settings, "resources": resources, "run": runner.run}
        try:
            if arguments.code is not None:
                exec(compile(arguments.code, "<shell>", "exec"), names)  # noqa: S102  # As typed.
            else:
                code.interact(f"Names: {', '.join(names)}.", local=names, exitmsg="")
        finally:
            runner.run(opening.__aexit__(None, None, None))
    return 0
