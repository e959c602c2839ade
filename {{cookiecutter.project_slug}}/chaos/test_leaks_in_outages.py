"""A database that goes away and comes back again and again leaves nothing behind either."""

import asyncio
from contextlib import suppress

from tests.support.service import Proxy
from tests.twelve_factor.report import Measure

from . import leaks
from .replica import needs_proc, replica

pytestmark = needs_proc
MEGABYTES = 30
"""What it may grow by in 100,000 requests: now and then more of them wait than ever before."""


async def interrupt(database_proxy: Proxy) -> None:
    """Cut the way to the database, and open it again, for as long as anybody cares."""
    while True:
        await asyncio.sleep(4)
        await asyncio.to_thread(database_proxy.cut)
        try:
            await asyncio.sleep(1)
        finally:
            await asyncio.to_thread(database_proxy.open)


async def test_outages_leave_nothing_behind(
    database_proxy: Proxy, environment: dict[str, str], measure: Measure
) -> None:
    async with replica(environment) as service:
        interrupting = asyncio.create_task(interrupt(database_proxy))
        try:
            await leaks.run(service, measure, 503, megabytes=MEGABYTES)
        finally:
            interrupting.cancel()
            with suppress(asyncio.CancelledError):
                await interrupting
