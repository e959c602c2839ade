"""A thousand connections that say nothing and a thousand that stop half-way cost next to nothing.

Those that stopped in the middle of a request are closed after a while, those that are idle between
two requests may stay.
"""

import asyncio
from time import monotonic

from tests.twelve_factor.report import Measure

from .load import Client, Connection, after, failures, p99, paced
from .replica import needs_proc, replica
from .scale import SCALE
from .traffic import LIVE, READ, READY, WRITE

HELD = 1000
GONE_AFTER = 15
NOISE = 25 / min(1, SCALE)
"""Milliseconds that a p99 may differ by without a reason: it takes a long run to tell."""

pytestmark = needs_proc


async def hold(port: int, sent: bytes) -> list[Connection]:
    """Open many connections, and send this much on each."""
    held: list[Connection] = []
    for _ in range(0, HELD, 50):
        opening = (asyncio.open_connection("127.0.0.1", port) for _ in range(50))
        held += [Connection(*pair) for pair in await asyncio.gather(*opening)]
    for connection in held:
        connection.writer.write(sent)
    return held


async def seconds_until_closed(connection: Connection) -> float:
    """Read to the end; return how long that took."""
    started = monotonic()
    await connection.reader.read()
    return monotonic() - started


async def test_connections_that_are_held_cost_nothing(
    environment: dict[str, str], measure: Measure
) -> None:
    requests = (READ, WRITE, LIVE, READY)
    async with replica(environment) as service, Client(service.port) as client:
        for _ in range(5):  # From now on, it has open all that it needs.
            await asyncio.gather(*(client.ask(READ) for _ in range(100)))
        memory, descriptors = service.memory(), service.descriptors()

        async def ask(number: int) -> None:
            await client.ask(requests[number % 4])

        client.outcomes.clear()
        await paced(100, ask, after(5))
        quiet = p99(client.outcomes)
        idle = await hold(service.port, LIVE.raw)
        for connection in idle:
            await connection.reader.readuntil(b"}")
        half = await hold(service.port, LIVE.raw[:-20])
        leaving = [asyncio.create_task(seconds_until_closed(connection)) for connection in half]
        client.outcomes.clear()
        await paced(100, ask, after(5))
        open_now, grown = service.descriptors() - descriptors, service.memory() - memory
        _, stayed = await asyncio.wait(leaving, timeout=GONE_AFTER - 5)
        for task in stayed:
            task.cancel()
        for connection in idle + half:
            connection.writer.close()
        left = await service.descriptors_below(descriptors + 2)

    measure("connections held", open_now, "", at_least=1.99 * HELD)
    measure("good requests that failed", failures(client.outcomes).total(), "", at_most=0)
    measure("p99 beside them", p99(client.outcomes), "ms", at_most=2 * quiet + NOISE)
    measure("memory for them", grown, "MB", at_most=20)
    measure(f"half-open ones left after {GONE_AFTER} s", len(stayed), "", at_most=0)
    measure("descriptors left in the end", left - descriptors, "", at_most=2)
