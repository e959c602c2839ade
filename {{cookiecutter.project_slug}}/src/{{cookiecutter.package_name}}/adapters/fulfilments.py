"""Fulfilling an order, in PostgreSQL: the effect and its mark in one transaction."""

from uuid import UUID

from .postgres_pool import Pool


class Fulfilments:
    """The domain's `Fulfilments`: rows of the table `orders`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fulfil(self, order_id: UUID) -> bool:
        """See `Fulfilments.fulfil`.

        What else fulfilling an order changes belongs into this transaction, after the mark and
        only if that was set: then it happens once, however often the job runs.
        """
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                "UPDATE orders SET status = 'fulfilled' WHERE id = %s AND status = 'placed'",
                (order_id,),
            )
            return cursor.rowcount == 1
