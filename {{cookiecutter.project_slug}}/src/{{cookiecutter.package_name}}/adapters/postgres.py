"""Orders in PostgreSQL: the SQL of the service, all of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from ..domain.errors import Unavailable
from ..domain.orders import Order, Position
from ..settings import Settings
{% if cookiecutter.worker %}
from .job_queue import defer_fulfilment
{% endif %}
from .postgres_pool import Pool, open_pool
from .schema import newest_revision

PING_SECONDS = 1
DELETE_BATCH = 1000


class PostgresOrders:
    """The domain's `Orders`, as rows of the table `orders`."""

    def __init__(self, pool: Pool, pings: Pool) -> None:
        self.pool = pool
        self._pings = pings
        self._needed_revision = newest_revision()

    async def ping(self) -> Literal["ok"]:
        """Raise `Unavailable` unless the server answers and its schema is new enough.

        Not in the pool of all others: that one is busy says nothing of the server.
        """
        async with self._pings.connection(PING_SECONDS) as connection:
            cursor = connection.cursor(row_factory=scalar_row)
            await cursor.execute("SELECT max(version_num) FROM alembic_version")
            if (await cursor.fetchone() or "") < self._needed_revision:
                raise Unavailable("database", "SchemaBehind")
        return "ok"

    async def add(self, order: Order, key: str | None) -> Order:
        """See `Orders.add`; the table's own uniqueness decides who came first."""
        async with self.pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=class_row(Order))
            await cursor.execute(
                "INSERT INTO orders (id, item, quantity, status, placed_at, idempotency_key)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (idempotency_key) DO NOTHING",
                (order.id, order.item, order.quantity, order.status, order.placed_at, key),
            )
            if cursor.rowcount:
                {% if cookiecutter.worker %}
                await defer_fulfilment(connection, order.id)
                {% endif %}
                return order
            await cursor.execute(
                "SELECT id, item, quantity, status, placed_at FROM orders"
                " WHERE idempotency_key = %s",
                (key,),
            )
            if first := await cursor.fetchone():
                return first
        return await self.add(order, key)  # The first one was cleaned up in between.

    async def get(self, order_id: UUID) -> Order | None:
        """See `Orders.get`."""
        async with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Order))
            await cursor.execute(
                "SELECT id, item, quantity, status, placed_at FROM orders WHERE id = %s",
                (order_id,),
            )
            return await cursor.fetchone()

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        """See `Orders.page`; an index holds the order, so that every page costs the same."""
        async with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Order))
            if after is None:
                await cursor.execute(
                    "SELECT id, item, quantity, status, placed_at FROM orders"
                    " ORDER BY placed_at DESC, id DESC LIMIT %s",
                    (limit,),
                )
            else:
                await cursor.execute(
                    "SELECT id, item, quantity, status, placed_at FROM orders"
                    " WHERE (placed_at, id) < (%s, %s)"
                    " ORDER BY placed_at DESC, id DESC LIMIT %s",
                    (after.placed_at, after.id, limit),
                )
            return await cursor.fetchall()

    async def delete(self, order_id: UUID) -> bool:
        """See `Orders.delete`."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute("DELETE FROM orders WHERE id = %s", (order_id,))
        return cursor.rowcount == 1

    async def delete_before(self, moment: datetime) -> int:
        """See `Orders.delete_before`; in batches, so that no lock is held for long."""
        deleted = 0
        while True:
            async with self.pool.connection() as connection:
                cursor = await connection.execute(
                    "DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE placed_at < %s"
                    " LIMIT %s FOR UPDATE SKIP LOCKED)",
                    (moment, DELETE_BATCH),
                )
            deleted += cursor.rowcount
            if cursor.rowcount < DELETE_BATCH:
                return deleted


@asynccontextmanager
async def open_orders(settings: Settings, process: str) -> AsyncIterator[PostgresOrders]:
    """Open the store for the process of this name; closing it returns its connections."""
    async with (
        open_pool(settings, process, fewest=1, most=settings.database_pool_size) as pool,
        open_pool(settings, process, fewest=0, most=1) as pings,
    ):
        yield PostgresOrders(pool, pings)
