"""Orders from events: appended and read here; the list of orders is a projection."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from ..chassis.events.projections import Projection
from ..chassis.events.store import Conflict, StoredEvent, append, read
from ..chassis.jobs.queue import defer
from ..chassis.postgres.connection import Connection
from ..chassis.postgres.pool import Pool
from .events import (
    TYPES,
    OrderDeleted,
    OrderFulfilled,
    OrderPlaced,
    id_of,
    state_after,
    stream_of,
)
from .model import Order, OrderStore, Position, Status
from .postgres import FULFIL

ADD = "INSERT INTO orders (id, item, quantity, status, placed_at) VALUES (%s, %s, %s, %s, %s)"
FULFILLED = "UPDATE orders SET status = %s WHERE id = %s"
CLAIM = "INSERT INTO order_keys (key, order_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"
OLDEST = """
SELECT placed_at, id FROM orders WHERE placed_at < %s AND (placed_at, id) > (%s, %s)
ORDER BY placed_at, id LIMIT 1000
"""
FIRST = ("-infinity", UUID(int=0))


class EventOrderStore:
    """`OrderStore` that appends events; `listed` has the orders that `OrderList` has written."""

    def __init__(self, listed: OrderStore, pool: Pool) -> None:
        self._listed = listed
        self._pool = pool

    async def add(self, order: Order, key: str | None) -> Order:
        """See `OrderStore.add`; the table of keys decides which request was first."""
        async with self._pool.connection() as connection, connection.transaction():
            if key is None or await _claim(connection, key, order.id):
                placed = OrderPlaced(
                    item=order.item, quantity=order.quantity, placed_at=order.placed_at
                )
                await append(connection, TYPES, stream_of(order.id), 0, [placed])
                await defer(connection, FULFIL, order_id=str(order.id))
                return order
            if (first := await _claimed(connection, key)) and (
                found := await _order(connection, first)
            ):
                return found
        return await self.add(order, key)  # The first order was deleted meanwhile.

    async def get(self, order_id: UUID) -> Order | None:
        async with self._pool.connection() as connection:
            return await _order(connection, order_id)

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        return await self._listed.page(limit, after)

    async def delete(self, order_id: UUID) -> bool:
        while True:
            try:
                async with self._pool.connection() as connection, connection.transaction():
                    events = await read(connection, TYPES, stream_of(order_id))
                    if state_after(order_id, events) is None:
                        return False
                    deleted = [OrderDeleted()]
                    await append(connection, TYPES, stream_of(order_id), len(events), deleted)
                    await connection.execute(
                        "DELETE FROM order_keys WHERE order_id = %s", (order_id,)
                    )
                    return True
            except Conflict:
                continue  # It was fulfilled meanwhile.

    async def delete_before(self, moment: datetime) -> int:
        """See `OrderStore.delete_before`; the events stay."""
        deleted = 0
        last: tuple[Any, ...] = FIRST
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(OLDEST, (moment, *last))
                found = await cursor.fetchall()
            if not found:
                return deleted
            for _, order_id in found:
                deleted += await self.delete(order_id)
            last = found[-1]

    async def replace(self, old: Order, new: Order) -> bool:
        """See `OrderStore.replace`; of concurrent changes, only the first one is made."""
        try:
            async with self._pool.connection() as connection, connection.transaction():
                events = await read(connection, TYPES, stream_of(old.id))
                if state_after(old.id, events) != old:
                    return False
                fulfilled = [OrderFulfilled()] if new.status == Status.FULFILLED else []
                await append(connection, TYPES, stream_of(old.id), len(events), fulfilled)
        except Conflict:
            return False
        return True


class OrderList(Projection):
    """The projection that `GET /orders` reads: one row in `orders` for each order."""

    name = "order_list"
    types = TYPES

    async def apply(self, connection: Connection, event: object, stored: StoredEvent) -> None:
        order_id = id_of(stored.stream)
        match event:
            case OrderPlaced(item=item, quantity=quantity, placed_at=placed_at):
                row = (order_id, item, quantity, Status.PLACED, placed_at)
                await connection.execute(ADD, row)
            case OrderFulfilled():
                await connection.execute(FULFILLED, (Status.FULFILLED, order_id))
            case OrderDeleted():
                await connection.execute("DELETE FROM orders WHERE id = %s", (order_id,))

    async def clear(self, connection: Connection) -> None:
        await connection.execute("DELETE FROM orders")


async def _claim(connection: Connection, key: str, order_id: UUID) -> bool:
    """Reserve a key for an order; return whether it was free."""
    cursor = await connection.execute(CLAIM, (key, order_id))
    return cursor.rowcount == 1


async def _claimed(connection: Connection, key: str) -> UUID | None:
    """Return the id of the order that has a key."""
    cursor = connection.cursor(row_factory=scalar_row)
    await cursor.execute("SELECT order_id FROM order_keys WHERE key = %s", (key,))
    found: UUID | None = await cursor.fetchone()
    return found


async def _order(connection: Connection, order_id: UUID) -> Order | None:
    return state_after(order_id, await read(connection, TYPES, stream_of(order_id)))
