"""Client of MongoDB: pooled connections, every wait has a timeout, an outage is `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    OperationFailure,
    WriteConcernError,
)

from ..errors import Unavailable
from .settings import MongodbSettings

CONNECT_SECONDS = 2
"""How long to wait for a connection, new or from the pool."""
SELECT_SECONDS = 1.5
"""How long to look for a server; a read is tried twice, half a second apart."""
ANSWER_SECONDS = 4
"""How long to wait for all that is done in one go."""
LONGEST_NAME = 128
"""Bytes of a name that a server takes from its clients."""

OUTAGES = (
    ConnectionFailure,
    ConfigurationError,  # So a name that `mongodb+srv` looks up in vain is reported.
    CursorNotFound,
    ExecutionTimeout,
    TimeoutError,
    WriteConcernError,
)
"""What says that the server is not there, or not able to."""
REFUSALS = {13, 18, 334, 8000}
"""Codes for who we are: Unauthorized, AuthenticationFailed, MechanismUnavailable, AtlasError."""

type Document = dict[str, Any]
type Database = AsyncDatabase[Document]


@asynccontextmanager
async def bounded(seconds: float = ANSWER_SECONDS) -> AsyncIterator[None]:
    """Allow `seconds` for what is done inside; raise `Unavailable` if the server fails us.

    The client's own `timeoutMS` would also be how long it looks for a server, and leaves out how
    long names are looked up. A connection that is given up is closed, and so the server knows.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except OUTAGES as error:
        raise Unavailable("database", type(error).__name__) from error
    except OperationFailure as error:
        if error.code in REFUSALS:
            raise Unavailable("database", type(error).__name__) from error
        raise


@asynccontextmanager
async def open_database(settings: MongodbSettings, process: str) -> AsyncIterator[Database]:
    """Open the database, without waiting for its server, which is told the name of our process."""
    name = f"{settings.otel_service_name} {process}".encode()[:LONGEST_NAME]
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongodb_url.get_secret_value(),
        appname=name.decode(errors="ignore"),
        tz_aware=True,
        uuidRepresentation="standard",
        serverSelectionTimeoutMS=int(SELECT_SECONDS * 1000),
        connectTimeoutMS=CONNECT_SECONDS * 1000,
        waitQueueTimeoutMS=CONNECT_SECONDS * 1000,
        minPoolSize=0,
        maxPoolSize=settings.database_pool_size,
    )
    try:
        # What is stored is found at once, whatever the URL prefers.
        yield client.get_default_database(read_preference=ReadPreference.PRIMARY)
    finally:
        # Saying goodbye to a server that is frozen must not keep the process.
        try:
            async with asyncio.timeout(1):
                await client.close()
        except TimeoutError:
            pass
