"""No request is lost behind a balancer of requests, which asks each replica whether it is ready.

HAProxy asks `/readyz` five times a second, sends nothing to a replica that says no, and tries
nothing twice. Each replica is restarted in its place, while clients ask as fast as they can.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.service import free_ports, until
from tests.twelve_factor.report import Measure

from .load import Client, failures
from .replica import Replica
from .scale import scaled
from .traffic import READ, WRITE

CLIENTS = 16
CONFIGURATION = """
global
    maxconn 1000
defaults
    mode http
    retries 0
    timeout check 2s
    timeout connect 2s
    timeout client 30s
    timeout server 30s
frontend clients
    bind 127.0.0.1:{port}
    default_backend replicas
backend replicas
    option httpchk GET /readyz
    default-server check inter 200ms fall 1 rise 1
"""

pytestmark = pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")


@asynccontextmanager
async def haproxy(folder: Path, replicas: Sequence[int]) -> AsyncIterator[int]:
    """Balance requests among replicas at these ports; yield the port of the balancer."""
    port = int(free_ports()["PORT"])
    servers = [f"    server replica{n} 127.0.0.1:{at}\n" for n, at in enumerate(replicas)]
    configuration = folder / "haproxy.cfg"
    configuration.write_text(CONFIGURATION.format(port=port) + "".join(servers))
    process = await asyncio.create_subprocess_exec(
        "haproxy", "-db", "-q", "-f", str(configuration), stderr=asyncio.subprocess.DEVNULL
    )

    def is_ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        await asyncio.to_thread(until, is_ready)
        yield port
    finally:
        process.kill()
        await process.wait()


async def test_restarting_every_replica_loses_no_request(
    environment: dict[str, str], measure: Measure, tmp_path: Path
) -> None:
    requests, restarts = int(scaled(100_000, 2000)), int(scaled(16, 2))
    places: list[dict[str, str]] = []
    done = asyncio.Event()
    async with AsyncExitStack() as stack:

        async def start(place: dict[str, str]) -> Replica:
            replica = Replica(place)
            stack.callback(replica.__exit__)
            return await asyncio.to_thread(replica.__enter__)

        running = []
        for _ in range(2):  # Ports are free for as long as nobody listens on them.
            places.append(environment | free_ports() | {"DRAIN_SECONDS": "1"})
            running.append(await start(places[-1]))
        port = await stack.enter_async_context(haproxy(tmp_path, [r.port for r in running]))
        client = await stack.enter_async_context(Client(port))

        async def ask_and_ask(request: int) -> None:
            while not done.is_set() or len(client.outcomes) < requests:
                await client.ask((READ, WRITE)[request % 2])

        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(ask_and_ask(number))
            for number in range(restarts):
                leaving = running[number % 2]
                leaving.terminate()
                assert await leaving.end() == 0
                assert leaving.stderr() == b""
                running[number % 2] = await start(places[number % 2])
                await asyncio.sleep(0.5)  # Until the balancer has seen that it is back.
            done.set()
    measure(f"requests in {restarts} restarts", len(client.outcomes), "", at_least=requests)
    failed = failures(client.outcomes)
    measure(f"of these failed {dict(failed) or ''}".rstrip(), failed.total(), "", at_most=0)
