"""Run by a service with events: place orders as rows and as events, and print both rates.

Prints pairs of orders per second as JSON. The argument is the number of pairs.
"""

# The modules of the service are only there.
# mypy: disable-error-code="import-not-found"

import asyncio
import json
import sys
from time import perf_counter

from order_service.chassis.config.loader import load_settings
from order_service.chassis.postgres.database import open_database
from order_service.orders.event_store import EventOrderStore
from order_service.orders.model import OrderStore, new_order
from order_service.orders.postgres import PostgresOrderStore
from order_service.settings import Settings

WRITERS, ORDERS = 16, 50


async def per_second(store: OrderStore) -> float:
    """Return how many orders concurrent writers place per second."""

    async def write() -> None:
        for _ in range(ORDERS):
            await store.add(new_order("tea", 1), None)

    started = perf_counter()
    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return WRITERS * ORDERS / (perf_counter() - started)


async def main(rounds: int) -> None:
    """Measure in turns, after one round that is not counted."""
    async with open_database(load_settings(Settings), "bench") as database:
        rows = PostgresOrderStore(database.pool)
        events = EventOrderStore(rows, database.pool)
        await per_second(rows)
        await per_second(events)
        pairs = [(await per_second(rows), await per_second(events)) for _ in range(rounds)]
    print(json.dumps(pairs))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
