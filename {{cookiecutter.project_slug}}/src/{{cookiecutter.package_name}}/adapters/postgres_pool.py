"""Connections to PostgreSQL: pooled, every wait bounded, every outage `Unavailable`."""

import asyncio
import logging
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.errors import UndefinedColumn, UndefinedTable
from psycopg_pool import AsyncConnectionPool

from ..domain.errors import Unavailable
from ..settings import Settings

CONNECT_SECONDS = 2
"""How long to wait for a connection, new or from the pool."""
ANSWER_SECONDS = 4
"""How long to wait for all that is done with a connection."""
SERVER_SETTINGS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "TimeZone": "UTC",
}

OUTAGES = (OperationalError, InterfaceError, UndefinedColumn, UndefinedTable, TimeoutError)
"""What says that the server, or the schema that this release needs, is not there."""


class Pool:
    """Lends connections in autocommit mode; what needs several statements opens a transaction."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self, seconds: float = ANSWER_SECONDS) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for at most `seconds`; raise `Unavailable` if the server fails us.

        A server that is frozen does not confirm that a query is cancelled either: half a second
        after the first, a second cancellation drops the connection.
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


class Sparingly(logging.Filter):
    """Lets one warning pass in so many seconds: a pool tells of every attempt to connect."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to let `record` pass."""
        now = monotonic()
        if record.levelno == logging.WARNING and now < self._next:
            return False
        self._next = now + self._seconds
        return True


logging.getLogger("psycopg.pool").addFilter(Sparingly(10))


@asynccontextmanager
async def open_pool(
    settings: Settings, process: str, *, fewest: int, most: int
) -> AsyncIterator[Pool]:
    """Open a pool, without waiting for the server, which is told the name of our process."""

    async def check(connection: AsyncConnection) -> None:
        # An idle connection has something to say only when the server has closed it.
        socket = select.poll()
        socket.register(connection.fileno(), select.POLLIN)
        if socket.poll(0):
            await pool.check()
            await pool.check_connection(connection)

    pool = AsyncConnectionPool(
        lambda: str(settings.database_url.get_secret_value()),  # For each connection anew.
        kwargs={
            "autocommit": True,
            "application_name": f"{settings.otel_service_name} {process}",
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": ANSWER_SECONDS * 1000,
            "options": " ".join(f"-c {name}={limit}" for name, limit in SERVER_SETTINGS.items()),
        },
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
        yield Pool(pool)
    finally:
        await pool.close(timeout=1)
