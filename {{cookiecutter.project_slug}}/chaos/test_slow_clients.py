"""Slow clients, and thousands of idle connections and incomplete requests, hardly affect others.

The service closes connections with an incomplete request after a timeout; idle ones may stay.
`slowhttptest` sends headers or bodies, or reads responses, a few bytes at a time. It holds 300
connections, and replaces those that the service closes. A fast client sends 50 requests per second.
"""

import asyncio
import shutil
from contextlib import suppress
from time import monotonic

import pytest

from tests.twelve_factor.report import Measure

from .load import SCALE, Client, Connection, after, at_rate, failures, p99, scaled
from .replica import Replica, replica
from .traffic import LIVE, READ, READY, SLOW_CLIENTS, WRITE

CONNECTIONS = 300
MODES = {
    "headers": ["-H", "-i", "3"],
    "bodies": ["-B", "-i", "3", "-s", "8192", "-t", "POST"],
    "readers": ["-X", "-n", "5", "-w", "10", "-y", "20", "-z", "5", "-k", "3"],
}

HELD = 1000
TIMEOUT_SECONDS = 15
NOISE = 25 / min(1, SCALE)
"""Milliseconds by which a p99 varies without a cause; a short run has few samples."""

needs_slowhttptest = pytest.mark.skipif(
    not shutil.which("slowhttptest"), reason="slowhttptest is not installed"
)


async def attack(port: int, mode: str, seconds: float) -> None:
    """Run slow clients for so many seconds."""
    is_over = after(seconds)
    path = WRITE.path if mode == "bodies" else "/openapi.json"
    while not is_over():
        process = await asyncio.create_subprocess_exec(
            *["slowhttptest", *MODES[mode], "-c", str(CONNECTIONS), "-r", "50"],
            *["-l", str(int(seconds) + 1), "-u", f"http://127.0.0.1:{port}{path}"],
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            break
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def most_connections(service: Replica, seconds: float) -> int:
    """Return the largest number of connections in so many seconds."""
    is_over, before, most = after(seconds), service.descriptors(), 0
    while not is_over():
        most = max(most, service.descriptors() - before)
        await asyncio.sleep(0.1)
    return most


@needs_slowhttptest
@pytest.mark.parametrize("mode", SLOW_CLIENTS)
async def test_slow_clients_do_not_affect_others(
    environment: dict[str, str], measure: Measure, mode: str
) -> None:
    seconds = scaled(60, 8)
    async with replica(environment) as service, Client(service.port) as client:
        requests = (READ, WRITE, LIVE, READY)
        async with asyncio.TaskGroup() as group:
            group.create_task(attack(service.port, mode, seconds))
            held = group.create_task(most_connections(service, seconds))
            await at_rate(50, lambda n: client.send(requests[n % 4]), after(seconds))
    measure(f"connections with slow {mode}", held.result(), "", at_least=CONNECTIONS * 0.8)
    measure("failed requests of others", failures(client.outcomes).total(), "", at_most=0)
    measure("p99 of others", p99(client.outcomes), "ms", at_most=250)


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
