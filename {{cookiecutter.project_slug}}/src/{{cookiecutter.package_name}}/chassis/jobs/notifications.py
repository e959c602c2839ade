"""Notifications from PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from psycopg import AsyncConnection, Error
from psycopg.sql import SQL, Identifier

from ..postgres.connection import USE_SECONDS
from ..postgres.pool import Pool

RECONNECT_SECONDS = 1
PING_SECONDS = 30
"""Interval of checks that the connection for notifications is alive."""

type OnNotification = Callable[..., Awaitable[None]]
"""Gets the `channel` and the `payload`."""


async def listen(pool: Pool, channels: Iterable[str], on_notification: OnNotification) -> None:
    """Pass on notifications until cancelled; there are none during an outage."""
    while True:
        with suppress(Error, TimeoutError):
            async with await pool.connect() as connection:
                for channel in channels:
                    await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                await _pass_on(connection, on_notification)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _pass_on(connection: AsyncConnection, on_notification: OnNotification) -> None:
    while True:
        async for notification in connection.notifies(timeout=PING_SECONDS):
            await on_notification(channel=notification.channel, payload=notification.payload)
        async with asyncio.timeout(USE_SECONDS):
            await connection.execute("SELECT 1")
