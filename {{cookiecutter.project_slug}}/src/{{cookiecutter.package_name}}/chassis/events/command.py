"""Show, rebuild or unblock projections."""

import asyncio
import os
from argparse import ArgumentParser, Namespace

from ..errors import Unavailable
from ..observability.logs import log
from ..postgres.pool import Pool
from ..postgres.settings import PostgresSettings
from ..service import Service
from .lag import lag
from .projections import Projection, Stopped, rebuild, skip
from .projector import Projector


def add_options(options: ArgumentParser) -> None:
    """`--rebuild NAME` or `--skip NAME POSITION`; without one, show each projection."""
    actions = options.add_mutually_exclusive_group()
    actions.add_argument("--rebuild", metavar="NAME", help="derive a projection again")
    actions.add_argument(
        "--skip", nargs=2, metavar=("NAME", "POSITION"), help="skip the event that stopped one"
    )


def run(service: Service, settings: PostgresSettings, arguments: Namespace) -> int:
    """Log what was done; return 0, or an exit code that `docs/events.md` explains."""
    try:
        return asyncio.run(_run(service, settings, arguments))
    except Unavailable as error:
        log.error("projections unavailable", backing_service=error.service, failure=error.failure)
        return os.EX_UNAVAILABLE


async def _run(service: Service, settings: PostgresSettings, arguments: Namespace) -> int:
    name, position = arguments.rebuild, ""
    if arguments.skip:
        name, position = arguments.skip
    async with service.open_resources(settings, "project") as resources:
        projector: Projector = service.target("project")(resources)
        pool, projections = projector.pool, projector.projections
        named = [each for each in projections if name in (None, each.name)]
        if name and not named:
            log.error("projection not found", projection=name, known=[p.name for p in projections])
            return 2
        for projection in named:
            if arguments.rebuild:
                return await _rebuild(pool, projection)
            if arguments.skip:
                return await _skip(pool, projection, position)
            behind = await lag(pool, projection)
            log.info(
                "projection",
                projection=projection.name,
                lag_events=behind.events,
                lag_seconds=round(behind.seconds, 3),
            )
    return 0


async def _rebuild(pool: Pool, projection: Projection) -> int:
    try:
        events = await rebuild(pool, projection)
    except Stopped as error:
        log.error(
            "projection not rebuilt",
            projection=projection.name,
            position=error.stored.position,
            exc_info=error.__cause__,
        )
        return os.EX_DATAERR
    except ValueError as error:
        log.error("projection not rebuilt", projection=projection.name, reason=str(error))
        return os.EX_DATAERR
    log.info("projection rebuilt", projection=projection.name, events=events)
    return 0


async def _skip(pool: Pool, projection: Projection, position: str) -> int:
    if not position.isdecimal() or not await skip(pool, projection, int(position)):
        log.error("event not skipped", projection=projection.name, position=position)
        return 2
    log.warning("event skipped", projection=projection.name, position=int(position))
    return 0
