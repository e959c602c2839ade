"""Delete old orders, once, and exit: for a schedule of the platform's."""

import asyncio
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime, timedelta

from .. import exits
from ..domain.errors import Unavailable
from ..lifecycle import open_resources
from ..logs import log
from ..settings import Settings


def add_options(options: ArgumentParser) -> None:
    """`--older-than-days N`: what is kept."""
    options.add_argument(
        "--older-than-days",
        type=_days,
        default=90,
        metavar="N",
        help="delete orders placed more than N days ago (default: %(default)s)",
    )


def run(settings: Settings, arguments: Namespace) -> int:
    """Log one line that says how many were deleted; return 0, or 69 if the store is not there."""
    before = datetime.now(UTC) - timedelta(days=arguments.older_than_days)
    try:
        deleted = asyncio.run(_delete(settings, before))
    except Unavailable as error:
        log.error("not cleaned up", failure=error.failure)
        return exits.UNAVAILABLE
    log.info("cleaned up", deleted=deleted, placed_before=before.isoformat())
    return 0


async def _delete(settings: Settings, before: datetime) -> int:
    async with open_resources(settings, "cleanup") as resources:
        return await resources.orders.delete_before(before)


def _days(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,4}", text):
        raise ArgumentTypeError("a number of days from 1 to 99999 is needed")
    return int(text)
