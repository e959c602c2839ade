"""Connects procrastinate to the service's database."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, LiteralString

from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from psycopg import AsyncConnection, Error
from psycopg.sql import SQL, Identifier

from ..postgres.connection import USE_SECONDS
from ..postgres.pool import Pool

RECONNECT_SECONDS = 1
PING_SECONDS = 30
"""Interval of checks that the connection for notifications is alive."""


class Connector(PsycopgConnector):
    """Runs statements on connections of the pool, and listens on a separate one."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.responded = True
        """Whether the last statement that fetches one row succeeded."""
        self._service_pool = pool

    async def open_pool(self) -> None:
        """Use the pool of the service, which is open."""
        await self.open_async(pool=self._service_pool)  # type: ignore[arg-type]  # The same method.

    async def execute_query_one_async(self, query: LiteralString, **values: Any) -> dict[str, Any]:
        """Make malformed arguments a keyword argument, so that validation rejects the job."""
        row: dict[str, Any] = await super().execute_query_one_async(query, **values)
        self.responded = True
        if "args" in row and not isinstance(row["args"], dict):
            row["args"] = {"arguments": row["args"]}
        return row

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Pass on notifications until cancelled; during an outage the worker only polls."""
        while True:
            with suppress(Error, TimeoutError):
                async with await self._service_pool.connect() as connection:
                    for channel in channels:
                        await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                    await _pass_on(connection, on_notification)
            await asyncio.sleep(RECONNECT_SECONDS)


async def _pass_on(connection: AsyncConnection, on_notification: Notify) -> None:
    while True:
        async for notification in connection.notifies(timeout=PING_SECONDS):
            await on_notification(channel=notification.channel, payload=notification.payload)
        async with asyncio.timeout(USE_SECONDS):
            await connection.execute("SELECT 1")
