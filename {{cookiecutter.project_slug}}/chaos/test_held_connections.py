"""A thousand idle connections and a thousand incomplete requests hardly cost anything.

The service closes connections with an incomplete request after a timeout; idle ones may stay.
"""

import asyncio
from time import monotonic

from tests.twelve_factor.report import Measure

from .load import SCALE, Client, Connection, after, at_rate, failures, p99
from .replica import needs_proc, replica
from .traffic import LIVE, READ, READY, WRITE

HELD = 1000
TIMEOUT_SECONDS = 15
NOISE = 25 / min(1, SCALE)
"""Milliseconds by which a p99 varies without a cause; a short run has few samples."""

pytestmark = needs_proc


async def hold(port: int, sent: bytes) -> list[Connection]:
    """Open `HELD` connections, and send these bytes on each."""
    held: list[Connection] = []
    for _ in range(0, HELD, 50):
        opening = (asyncio.open_connection("127.0.0.1", port) for _ in range(50))
        held += [Connection(*pair) for pair in await asyncio.gather(*opening)]
    for connection in held:
        connection.writer.write(sent)
    return held


async def seconds_until_closed(connection: Connection) -> float:
    started = monotonic()
    await connection.reader.read()
    return monotonic() - started


async def test_held_connections_cost_nothing(environment: dict[str, str], measure: Measure) -> None:
    requests = (READ, WRITE, LIVE, READY)
    async with replica(environment) as service, Client(service.port) as client:
        for _ in range(5):  # Open all connections of the pools before the first sample.
            await asyncio.gather(*(client.send(READ) for _ in range(100)))
        memory, descriptors = service.memory(), service.descriptors()

        async def send(number: int) -> None:
            await client.send(requests[number % 4])

        client.outcomes.clear()
        await at_rate(100, send, after(5))
        p99_without = p99(client.outcomes)
        idle = await hold(service.port, LIVE.raw)
        for connection in idle:
            await connection.reader.readuntil(b"}")
        incomplete = await hold(service.port, LIVE.raw[:-20])
        closing = [asyncio.create_task(seconds_until_closed(each)) for each in incomplete]
        client.outcomes.clear()
        await at_rate(100, send, after(5))
        held, growth = service.descriptors() - descriptors, service.memory() - memory
        _, still_open = await asyncio.wait(closing, timeout=TIMEOUT_SECONDS - 5)
        for task in still_open:
            task.cancel()
        for connection in idle + incomplete:
            connection.writer.close()
        leaked = await service.descriptors_within(descriptors + 2) - descriptors

    measure("connections held", held, "", at_least=1.99 * HELD)
    measure("failed requests of others", failures(client.outcomes).total(), "", at_most=0)
    measure("p99 of others", p99(client.outcomes), "ms", at_most=2 * p99_without + NOISE)
    measure("memory growth", growth, "MB", at_most=20)
    measure(f"incomplete, open after {TIMEOUT_SECONDS} s", len(still_open), "", at_most=0)
    measure("leaked descriptors", leaked, "", at_most=2)
