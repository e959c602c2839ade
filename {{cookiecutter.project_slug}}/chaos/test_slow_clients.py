"""Slow clients do not affect others.

`slowhttptest` sends headers or bodies, or reads responses, a few bytes at a time. It holds 300
connections, and replaces those that the service closes. A fast client sends 50 requests per second.
"""

import asyncio
import shutil
from contextlib import suppress

import pytest

from tests.twelve_factor.report import Measure

from .load import Client, after, at_rate, failures, p99, scaled
from .replica import Replica, needs_proc, replica
from .traffic import LIVE, READ, READY, SLOW_CLIENTS, WRITE

CONNECTIONS = 300
MODES = {
    "headers": ["-H", "-i", "3"],
    "bodies": ["-B", "-i", "3", "-s", "8192", "-t", "POST"],
    "readers": ["-X", "-n", "5", "-w", "10", "-y", "20", "-z", "5", "-k", "3"],
}

pytestmark = [
    needs_proc,
    pytest.mark.skipif(not shutil.which("slowhttptest"), reason="slowhttptest is not installed"),
]


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
