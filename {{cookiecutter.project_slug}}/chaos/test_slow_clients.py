"""Clients that hold connections for as long as they can do not keep others from being served.

`slowhttptest` drips headers, drips bodies or reads answers a few bytes at a time, on 300
connections at once, and begins again as soon as the service has got rid of them; meanwhile a
well-behaved client asks 50 times a second.
"""

import asyncio
import shutil
from contextlib import suppress

import pytest

from tests.twelve_factor.report import Measure

from .load import Client, after, failures, p99, paced
from .replica import Replica, needs_proc, replica
from .scale import scaled
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
    """Hold so many connections for so long, again and again."""
    over = after(seconds)
    path = WRITE.path if mode == "bodies" else "/openapi.json"
    while not over():
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
    """Watch for so long; return how many descriptors it had at the most beyond the first ones."""
    over, before, most = after(seconds), service.descriptors(), 0
    while not over():
        most = max(most, service.descriptors() - before)
        await asyncio.sleep(0.1)
    return most


@pytest.mark.parametrize("mode", SLOW_CLIENTS)
async def test_a_good_client_is_served_beside_slow_ones(
    environment: dict[str, str], measure: Measure, mode: str
) -> None:
    seconds = scaled(60, 8)
    async with replica(environment) as service, Client(service.port) as client:
        requests = (READ, WRITE, LIVE, READY)
        async with asyncio.TaskGroup() as group:
            group.create_task(attack(service.port, mode, seconds))
            held = group.create_task(most_connections(service, seconds))
            await paced(50, lambda n: client.ask(requests[n % 4]), after(seconds))
    measure(f"connections held by slow {mode}", held.result(), "", at_least=CONNECTIONS * 0.8)
    failed = failures(client.outcomes)
    measure("requests of a good client that failed", failed.total(), "", at_most=0)
    measure("p99 of a good client", p99(client.outcomes), "ms", at_most=250)
