"""Validate the configuration, log it with secrets masked, and ping each backing service."""

import asyncio
import os
from argparse import Namespace
from logging import ERROR, INFO

from ..config.loader import describe
from ..config.settings import BaseServiceSettings
from ..observability.logs import log
from ..readiness import Readiness
from ..service import Service


def run(service: Service, settings: BaseServiceSettings, _: Namespace) -> int:
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
