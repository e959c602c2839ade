"""Validate the configuration, log it with secrets masked, and ping each backing service."""

import asyncio
import os
from argparse import Namespace

from ..config.loader import describe
from ..config.settings import BaseServiceSettings
from ..observability.logs import log
from ..readiness import Readiness
from ..service import Service


def run(service: Service, settings: BaseServiceSettings, _: Namespace) -> int:
    """Log each variable and each ping; return 0, or 69 if a backing service is not healthy."""
    for variable, source, value in describe(settings):
        log.info("setting", variable=variable, source=source, value=value)
    checks = asyncio.run(_ping(service, settings))
    for name, result in checks.items():
        write = log.info if result == "ok" else log.error
        write("backing service", name=name, result=result)
    return 0 if set(checks.values()) <= {"ok"} else os.EX_UNAVAILABLE


async def _ping(service: Service, settings: BaseServiceSettings) -> dict[str, str]:
    readiness = Readiness()
    async with service.open_resources(settings, "check") as resources:
        readiness.pings = resources.pings
        return await readiness.checks()
