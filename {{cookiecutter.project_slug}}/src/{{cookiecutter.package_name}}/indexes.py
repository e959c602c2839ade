"""The indexes of all collections: `migrate` creates them, `/readyz` requires them."""

from .chassis.mongodb import schema
from .chassis.mongodb.settings import MongodbSettings
from .orders import mongodb as orders

INDEXES: schema.Indexes = {
    "orders": orders.INDEXES,
}


def migrate(settings: MongodbSettings) -> list[str]:
    """Create and log the missing indexes; return the names of all."""
    return schema.create_indexes(settings, INDEXES)
