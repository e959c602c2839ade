"""PostgreSQL connection pool: every wait has a timeout, every outage is `Unavailable`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import AsyncConnectionPool

from ..errors import Unavailable
from .connection import CONNECT_SECONDS, USE_SECONDS, Connection, Connector
from .failures import OUTAGES, category
from .settings import PostgresSettings


class Pool:
    """Lends connections in autocommit mode; several statements need an explicit transaction."""

    def __init__(self, pool: AsyncConnectionPool[Connection], connector: Connector) -> None:
        self._pool = pool
        self._connector = connector
        self._drained_at = 0.0
        self.connect = connector.connect
        """Opens a connection outside of the pool, which the caller closes."""

    @asynccontextmanager
    async def connection(self, seconds: float = USE_SECONDS) -> AsyncIterator[Connection]:
        """Lend a connection for at most `seconds`; raise `Unavailable` for an outage."""
        try:
            async with asyncio.timeout(seconds):
                connection = await self._borrow()
                try:
                    yield connection
                except ReadOnlySqlTransaction:
                    await connection.close()
                    raise
                finally:
                    if connection.closed:
                        await self.drain(connection)
                    await self._pool.putconn(connection)
        except OUTAGES as error:
            failure = category(error)
            if failure == "timeout":
                failure = self._connector.failure or failure
            raise Unavailable("database", failure) from error

    async def _borrow(self) -> Connection:
        """Return a connection; replace those that the server closed while they were idle."""
        connection = await self._pool.getconn()
        if connection.is_readable():
            await self._pool.putconn(connection)
            await self._pool.check()
            connection = await self._pool.getconn()
        return connection

    async def drain(self, lost: Connection) -> None:
        """Replace all connections, unless that was done after `lost` was opened.

        If one is lost, or its server demoted, the others are too.
        """
        if lost.opened_at > self._drained_at:
            self._drained_at = monotonic()
            await self._pool.drain()


# Requests and probes that need a connection log why they get none.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


@asynccontextmanager
async def open_pool(
    settings: PostgresSettings, process: str, *, fewest: int, most: int
) -> AsyncIterator[Pool]:
    """Open a pool without waiting for the server, which sees the process as `application_name`."""
    connector = Connector(settings, process)
    pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
        connection_class=connector,  # type: ignore[arg-type]  # Only `connect` is called.
        min_size=fewest,
        max_size=most,
        timeout=CONNECT_SECONDS,
        reconnect_timeout=CONNECT_SECONDS,
        open=False,
        name=process,
    )
    await pool.open()
    try:
        yield Pool(pool, connector)
    finally:
        await pool.close(timeout=1)
