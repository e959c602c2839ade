"""MongoDB client: pooled connections, every wait has a timeout, every outage is `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.database import AsyncDatabase

from ..errors import Unavailable
from .failures import category, is_outage
from .settings import MongodbSettings

CONNECT_SECONDS = 2
"""Timeout for a connection, new or from the pool."""
SELECT_SECONDS = 1.5
"""Timeout for server selection; the client tries a read twice, half a second apart."""
USE_SECONDS = 4
"""Timeout for all operations of one `bounded` block."""
IDLE_SECONDS = 30
"""Longest idle time of a connection: a firewall may have dropped an older one."""
MAX_NAME_BYTES = 128
"""Longest `appname` that a server accepts."""

type Document = dict[str, Any]
type Database = AsyncDatabase[Document]


@asynccontextmanager
async def bounded(seconds: float = USE_SECONDS) -> AsyncIterator[None]:
    """Apply a timeout to a block; raise `Unavailable` for an outage.

    The timeoutMS of MongoDB's URLs would also limit the selection of a server, and not cover
    DNS lookups. A cancelled operation closes its connection, so the server cancels it as well.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except Exception as error:
        if is_outage(error):
            raise Unavailable("database", category(error)) from error
        raise


@asynccontextmanager
async def open_database(settings: MongodbSettings, process: str) -> AsyncIterator[Database]:
    """Open the database without waiting for its server, which sees the process as `appname`."""
    name = f"{settings.otel_service_name} {process}".encode()[:MAX_NAME_BYTES]
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongodb_url.get_secret_value(),
        appname=name.decode(errors="ignore"),
        tz_aware=True,
        uuidRepresentation="standard",
        serverSelectionTimeoutMS=int(SELECT_SECONDS * 1000),
        connectTimeoutMS=CONNECT_SECONDS * 1000,
        waitQueueTimeoutMS=CONNECT_SECONDS * 1000,
        maxIdleTimeMS=IDLE_SECONDS * 1000,
        minPoolSize=0,
        maxPoolSize=settings.database_pool_size,
    )
    try:
        # Read what was just written, whatever read preference the URL has.
        yield client.get_default_database(read_preference=ReadPreference.PRIMARY)
    finally:
        # A frozen server must not delay the exit.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await client.close()
