"""Delete old orders: a command for the platform's scheduler."""

import asyncio
import os
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime, timedelta

from ..chassis.errors import Unavailable
from ..chassis.observability.logs import log
from ..chassis.service import Service
from .model import OrderStore
from .settings import OrderSettings


async def delete_old(orders: OrderStore, keep_days: int, now: datetime) -> None:
    """Delete the orders that are older than `keep_days`, and log how many."""
    before = now - timedelta(days=keep_days)
    deleted = await orders.delete_before(before)
    log.info("old orders deleted", deleted=deleted, placed_before=before.isoformat())


def add_options(options: ArgumentParser) -> None:
    """`--older-than-days N` overrides `KEEP_DAYS`."""
    options.add_argument(
        "--older-than-days",
        type=_days,
        metavar="N",
        help="delete orders placed more than N days ago (default: KEEP_DAYS)",
    )


def run(service: Service, settings: OrderSettings, arguments: Namespace) -> int:
    """Delete once and exit with 0, or 69 if the database is unavailable."""
    keep_days = arguments.older_than_days or settings.keep_days
    for is_last in (False, True):  # The first connection may take long, such as after a pause.
        try:
            asyncio.run(_delete_old(service, settings, keep_days))
        except Unavailable as error:
            if is_last:
                log.error("cleanup failed", failure=error.failure)
                return os.EX_UNAVAILABLE
        else:
            break
    return 0


async def _delete_old(service: Service, settings: OrderSettings, keep_days: int) -> None:
    async with service.open_resources(settings, "cleanup") as resources:
        await delete_old(resources.orders, keep_days, datetime.now(UTC))


def _days(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,4}", text):
        raise ArgumentTypeError("a number of days from 1 to 99999 is needed")
    return int(text)
