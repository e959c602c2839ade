"""The schema that this release needs: the indexes of its collections, known by their names."""

import asyncio

from pymongo import DESCENDING, IndexModel

from ..domain.errors import Unavailable
from ..logs import log
from ..settings import Settings
from .mongodb_client import Database, bounded, open_database

BUILD_SECONDS = 3600
"""How long building one index may take; the collection is in use meanwhile."""

INDEXES = {
    "orders": [
        IndexModel([("placed_at", DESCENDING), ("_id", DESCENDING)], name="newest_first"),
        IndexModel("idempotency_key", name="one_per_key", unique=True),
    ]
}
"""By collection. A changed index gets a new name, since releases N and N+1 run side by side."""


async def missing(database: Database) -> list[tuple[str, IndexModel]]:
    """Return the indexes that the database does not have, each with its collection."""
    found = []
    for collection, indexes in INDEXES.items():
        names = await database[collection].index_information()
        found += [(collection, index) for index in indexes if index.document["name"] not in names]
    return found


async def check(database: Database) -> None:
    """Raise `Unavailable` unless every index is there; newer ones do not matter."""
    if await missing(database):
        raise Unavailable("database", "SchemaBehind")


def migrate(settings: Settings) -> list[str]:
    """Create the indexes that are missing and log each; return the names of all."""
    asyncio.run(_create(settings))
    return [
        f"{collection}.{index.document['name']}"
        for collection, indexes in INDEXES.items()
        for index in indexes
    ]


async def _create(settings: Settings) -> None:
    async with open_database(settings, "migrate") as database:
        async with bounded():
            todo = await missing(database)
        for collection, index in todo:
            # Where another process builds the same index, the server lets us wait for that one.
            async with bounded(BUILD_SECONDS):
                await database[collection].create_indexes([index])
            log.info("index created", collection=collection, index=index.document["name"])
