"""Show the configuration, secrets masked, and ask each backing service."""

import asyncio
from argparse import Namespace

from .. import exits
from ..api.health import Readiness
from ..environment import describe
from ..lifecycle import open_resources
from ..logs import log
from ..settings import Settings


def run(settings: Settings, _: Namespace) -> int:
    """Log each variable, then each backing service; return 0, or 69 if one is unfit."""
    for variable, source, value in describe(settings):
        log.info("variable", variable=variable, source=source, value=value)
    checks = asyncio.run(_ask_backing_services(settings))
    for name, answer in checks.items():
        tell = log.info if answer == "ok" else log.error
        tell("backing service", name=name, answer=answer)
    return 0 if set(checks.values()) <= {"ok"} else exits.UNAVAILABLE


async def _ask_backing_services(settings: Settings) -> dict[str, str]:
    readiness = Readiness()
    async with open_resources(settings, "check") as resources:
        readiness.pings = resources.pings
        return await readiness.checks()
