"""The indexes of orders in MongoDB, which `migrate` creates."""

from pymongo import DESCENDING, IndexModel

from ..chassis.mongodb import schema
from ..chassis.mongodb.settings import MongodbSettings

INDEXES: schema.Indexes = {
    "orders": [
        IndexModel([("placed_at", DESCENDING), ("_id", DESCENDING)], name="newest_first"),
        IndexModel("idempotency_key", name="one_per_key", unique=True),
    ]
}


def migrate(settings: MongodbSettings) -> list[str]:
    """Create and log the missing indexes; return the names of all."""
    return schema.create_indexes(settings, INDEXES)
