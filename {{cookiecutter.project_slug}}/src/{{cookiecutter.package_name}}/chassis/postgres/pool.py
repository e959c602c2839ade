"""PostgreSQL connection pool: every wait has a timeout, every outage is `Unavailable`."""

import asyncio
import logging
import select
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.errors import UndefinedColumn, UndefinedTable
from psycopg_pool import AsyncConnectionPool

from ..errors import Unavailable
from .settings import PostgresSettings

CONNECT_SECONDS = 2
"""Timeout for a connection, new or from the pool."""
USE_SECONDS = 4
"""Timeout for the use of a borrowed connection."""
SERVER_SETTINGS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "TimeZone": "UTC",
}

OUTAGES = (OperationalError, InterfaceError, UndefinedColumn, UndefinedTable, TimeoutError)
"""Errors of an unavailable server, or of one without the schema that this release needs."""


class Pool:
    """Lends connections in autocommit mode; several statements need an explicit transaction."""

    def __init__(
        self, pool: AsyncConnectionPool, connect: Callable[[], Awaitable[AsyncConnection]]
    ) -> None:
        self._pool = pool
        self.connect = connect
        """Opens a connection outside of the pool, which the caller closes."""

    @asynccontextmanager
    async def connection(self, seconds: float = USE_SECONDS) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for at most `seconds`; raise `Unavailable` for an outage.

        A frozen server does not confirm that a query is cancelled: after another half a second, a
        second timeout drops the connection.
        """
        try:
            async with asyncio.timeout(seconds + 0.5), asyncio.timeout(seconds):
                connection = await self._pool.getconn()
                try:
                    yield connection
                finally:
                    await self._pool.putconn(connection)
        except OUTAGES as error:
            raise Unavailable("database", type(error).__name__) from error


class WarningInterval(logging.Filter):
    """Passes one warning per interval: the pool logs each failed attempt to connect."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log `record`."""
        now = monotonic()
        if record.levelno == logging.WARNING and now < self._next:
            return False
        self._next = now + self._seconds
        return True


logging.getLogger("psycopg.pool").addFilter(WarningInterval(10))


@asynccontextmanager
async def open_pool(
    settings: PostgresSettings, process: str, *, fewest: int, most: int
) -> AsyncIterator[Pool]:
    """Open a pool without waiting for the server, which sees the process as `application_name`."""

    async def check(connection: AsyncConnection) -> None:
        # An idle connection is readable only if the server closed it.
        socket = select.poll()
        socket.register(connection.fileno(), select.POLLIN)
        if socket.poll(0):
            await pool.check()
            await pool.check_connection(connection)

    def url() -> str:  # Read again for each connection.
        return str(settings.database_url.get_secret_value())

    options: dict[str, Any] = {
        "autocommit": True,
        "application_name": f"{settings.otel_service_name} {process}",
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": USE_SECONDS * 1000,
        "options": " ".join(f"-c {name}={limit}" for name, limit in SERVER_SETTINGS.items()),
    }
    pool = AsyncConnectionPool(
        url,
        kwargs=options,
        min_size=fewest,
        max_size=most,
        timeout=CONNECT_SECONDS,
        reconnect_timeout=CONNECT_SECONDS,
        check=check,
        open=False,
        name=process,
    )
    await pool.open()
    try:
        yield Pool(pool, lambda: AsyncConnection.connect(url(), **options))
    finally:
        await pool.close(timeout=1)
