"""Orders in MongoDB: all documents and queries about them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pymongo import DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from ..chassis.mongodb.client import Database, Document, bounded
from .model import Order, Position, Status

DELETE_SECONDS = 60
"""Timeout for a cleanup; orders deleted before it stay deleted."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NEWEST_FIRST = [("placed_at", DESCENDING), ("_id", DESCENDING)]
INDEXES = [
    IndexModel(NEWEST_FIRST, name="newest_first"),
    IndexModel("idempotency_key", name="one_per_key", unique=True),
]


class MongoOrderStore:
    """`OrderStore` in the collection `orders`."""

    def __init__(self, database: Database) -> None:
        self._orders = database["orders"]

    async def add(self, order: Order, key: str | None) -> Order:
        """See `OrderStore.add`; a unique index decides which request was first."""
        document = _document(order, key)
        async with bounded():
            try:
                await self._orders.insert_one(document)
            except DuplicateKeyError:
                # The client repeats an insert whose response was lost: the id exists already.
                same = [{"idempotency_key": document["idempotency_key"]}, {"_id": order.id}]
                if first := await self._orders.find_one({"$or": same}):
                    return _order(first)
            else:
                return order
        return await self.add(order, key)  # The first order was deleted meanwhile.

    async def get(self, order_id: UUID) -> Order | None:
        async with bounded():
            found = await self._orders.find_one({"_id": order_id})
        return _order(found) if found else None

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        """See `OrderStore.page`; an index makes every page cost the same."""
        rest: dict[str, Any] = {}
        if after:
            moment = _microseconds(after.placed_at)
            earlier = [{"placed_at": {"$lt": moment}}, {"_id": {"$lt": after.id}}]
            rest = {"placed_at": {"$lte": moment}, "$or": earlier}
        async with bounded():
            found = await self._orders.find(rest, sort=NEWEST_FIRST, limit=limit).to_list()
        return [_order(document) for document in found]

    async def delete(self, order_id: UUID) -> bool:
        async with bounded():
            result = await self._orders.delete_one({"_id": order_id})
        return result.deleted_count == 1

    async def delete_before(self, moment: datetime) -> int:
        """See `OrderStore.delete_before`; MongoDB deletes one document at a time."""
        async with bounded(DELETE_SECONDS):
            old = {"placed_at": {"$lt": _microseconds(moment)}}
            result = await self._orders.delete_many(old)
        return result.deleted_count


def _document(order: Order, key: str | None) -> Document:
    return {
        "_id": order.id,
        "item": order.item,
        "quantity": order.quantity,
        "status": order.status.value,
        "placed_at": _microseconds(order.placed_at),
        # The unique index needs a key for each order; keys of clients hold no spaces.
        "idempotency_key": f" {order.id}" if key is None else key,
    }


def _order(document: Document) -> Order:
    return Order(
        id=document["_id"],
        item=document["item"],
        quantity=document["quantity"],
        status=Status(document["status"]),
        placed_at=EPOCH + document["placed_at"] * MICROSECOND,
    )


def _microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970; MongoDB's dates only have milliseconds."""
    return (moment - EPOCH) // MICROSECOND
