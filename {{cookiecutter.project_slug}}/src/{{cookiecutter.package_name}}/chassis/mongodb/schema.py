"""The schema that a release needs: indexes, compared by name."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

from pymongo import IndexModel
from pymongo.errors import OperationFailure

from ..errors import Unavailable
from ..observability.logs import log
from .client import Database, bounded, open_database
from .settings import MongodbSettings

PING_SECONDS = 1
BUILD_SECONDS = 3600
"""Timeout for building one index; the collection can be used meanwhile."""

type Indexes = Mapping[str, Sequence[IndexModel]]
"""By collection. A changed index needs a new name: two releases run side by side for a while."""


async def missing(database: Database, needed: Indexes) -> list[tuple[str, IndexModel]]:
    """Return the missing indexes, each with its collection."""
    found = []
    for collection, indexes in needed.items():
        names = await database[collection].index_information()
        found += [(collection, index) for index in indexes if index.document["name"] not in names]
    return found


async def ping(database: Database, needed: Indexes) -> Literal["ok"]:
    """Raise `Unavailable` unless the server accepts writes and has all needed indexes."""
    async with bounded(PING_SECONDS):
        # A secondary, and a user without rights, may respond to reads. This deletes nothing.
        await database["pings"].delete_one({"_id": None})
        if await missing(database, needed):
            raise Unavailable("database", "schema")
    return "ok"


def create_indexes(settings: MongodbSettings, needed: Indexes) -> list[str]:
    """Create and log the missing indexes; return the names of all."""
    asyncio.run(_create(settings, needed))
    return [
        f"{collection}.{index.document['name']}"
        for collection, indexes in needed.items()
        for index in indexes
    ]


async def _create(settings: MongodbSettings, needed: Indexes) -> None:
    async with open_database(settings, "migrate") as database:
        async with bounded():
            todo = await missing(database, needed)
        for collection, index in todo:
            # If another process is building the same index, the server waits for that build.
            name = index.document["name"]
            try:
                async with bounded(BUILD_SECONDS):
                    await database[collection].create_indexes([index])
            except OperationFailure as error:  # Its message quotes documents, such as duplicates.
                log.error("index not created", collection=collection, index=name, code=error.code)
                raise Unavailable("database", "schema") from error
            log.info("index created", collection=collection, index=name)
