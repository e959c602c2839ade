"""Orders in PostgreSQL: all SQL about them."""

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from psycopg.rows import class_row

{% if cookiecutter.worker %}
from ..chassis.jobs.queue import defer
{% endif %}
from ..chassis.postgres.pool import Pool
from .model import Order, Position

COLUMNS = [field.name for field in fields(Order)]
"""The columns, and `idempotency_key`, have the names of the fields."""
INSERT = (
    f"INSERT INTO orders ({', '.join(COLUMNS)}, idempotency_key)"  # noqa: S608  # Only constants.
    f" VALUES ({'%s, ' * len(COLUMNS)}%s) ON CONFLICT (idempotency_key) DO NOTHING"
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM orders"  # noqa: S608  # Only constants.
NEWEST_FIRST = "ORDER BY placed_at DESC, id DESC LIMIT %s"
DELETE_BATCH = 1000
{% if cookiecutter.worker %}
FULFIL = "fulfil"
"""Name of the task that is deferred with each order."""
{% endif %}

_values = attrgetter(*COLUMNS)


class PostgresOrderStore:
    """`OrderStore` in the table `orders`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, order: Order, key: str | None) -> Order:
        """See `OrderStore.add`; a unique index decides which request was first."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=class_row(Order))
            await cursor.execute(INSERT, (*_values(order), key))
            if cursor.rowcount:
                {% if cookiecutter.worker %}
                await defer(connection, FULFIL, order_id=str(order.id))
                {% endif %}
                return order
            await cursor.execute(f"{SELECT} WHERE idempotency_key = %s", (key,))
            if first := await cursor.fetchone():
                return first
        return await self.add(order, key)  # The first order was deleted meanwhile.

    async def get(self, order_id: UUID) -> Order | None:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Order))
            await cursor.execute(f"{SELECT} WHERE id = %s", (order_id,))
            return await cursor.fetchone()

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        """See `OrderStore.page`; an index makes every page cost the same."""
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Order))
            if after is None:
                await cursor.execute(f"{SELECT} {NEWEST_FIRST}", (limit,))
            else:
                query = f"{SELECT} WHERE (placed_at, id) < (%s, %s) {NEWEST_FIRST}"
                await cursor.execute(query, (after.placed_at, after.id, limit))
            return await cursor.fetchall()

    async def delete(self, order_id: UUID) -> bool:
        async with self._pool.connection() as connection:
            cursor = await connection.execute("DELETE FROM orders WHERE id = %s", (order_id,))
        return cursor.rowcount == 1

    async def delete_before(self, moment: datetime) -> int:
        """See `OrderStore.delete_before`; deletes in batches, so that locks are short."""
        deleted = 0
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE placed_at < %s"
                    " LIMIT %s FOR UPDATE SKIP LOCKED)",
                    (moment, DELETE_BATCH),
                )
            deleted += cursor.rowcount
            if cursor.rowcount < DELETE_BATCH:
                return deleted
{% if cookiecutter.worker %}

    async def replace(self, old: Order, new: Order) -> bool:
        query = "UPDATE orders SET status = %s WHERE id = %s AND status = %s"
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, (new.status, old.id, old.status))
        return cursor.rowcount == 1
{% endif %}
