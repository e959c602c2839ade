"""No request fails while all replicas are replaced, one after the other, under load.

A load balancer still uses a replica for a while after SIGTERM: kube-proxy until it is notified,
HAProxy until a health check fails. The drain must take longer. Half of the requests are sent on
persistent connections, a quarter on new ones, and a quarter pauses before its last bytes.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from tempfile import NamedTemporaryFile

import httpx
import pytest

from tests.support.service import fetch, free_ports, started, until
from tests.twelve_factor.report import Measure

from .load import RATE, Client, Outcome, at_rate, failures, scaled
from .replica import Replica, replica
from .traffic import SLOW, WRITE

type Balancer = Callable[[list[int], list[int]], AbstractAsyncContextManager[int]]
"""Balances among all ports, of which some are `active`; yields its own port."""

PAUSE_SECONDS = 0.2
HAPROXY = """
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


@asynccontextmanager
async def kube_proxy(_: list[int], active: list[int]) -> AsyncIterator[int]:
    """Forward each connection to the next active port; existing ones stay."""
    turns = count()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = active[next(turns) % len(active)]
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(copy(reader, upstream_writer), copy(upstream_reader, writer))

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, RuntimeError):  # uvloop raises the latter if the writer is closed.
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@asynccontextmanager
async def haproxy(ports: list[int], _: list[int]) -> AsyncIterator[int]:
    """Forward each request to a port whose `/readyz` returns 200, without retries."""
    port = int(free_ports()["PORT"])
    servers = [f"    server replica{n} 127.0.0.1:{each}\n" for n, each in enumerate(ports)]

    def is_ready() -> bool:
        with suppress(httpx.TransportError):
            return fetch(f"http://127.0.0.1:{port}/readyz").status_code == 200
        return False

    with NamedTemporaryFile("w", suffix=".cfg") as file:
        file.write(HAPROXY.format(port=port) + "".join(servers))
        file.flush()
        with started(["haproxy", "-db", "-q", "-f", file.name], os.environ):
            await asyncio.to_thread(until, is_ready)
            yield port


async def replace_replicas(
    environment: Mapping[str, str],
    balancer: Balancer,
    lag: float,
    replacements: int,
    requests: int,
) -> list[Outcome]:
    """Replace one of three replicas after the other, while at least `requests` are sent.

    Each becomes inactive `lag` seconds after SIGTERM.
    """
    places = [free_ports() for _ in range(3)]
    active: list[int] = []
    done = asyncio.Event()
    async with AsyncExitStack() as stack:

        async def start(place: dict[str, str]) -> Replica:
            running = await stack.enter_async_context(replica(environment, **place))
            active.append(running.port)
            return running

        replicas = [await start(place) for place in places]
        ports = [running.port for running in replicas]
        port = await stack.enter_async_context(balancer(ports, active))
        client = await stack.enter_async_context(Client(port))

        async def send(number: int) -> None:
            slow, fresh = number % 4 == 1, number % 4 == 3
            pause = PAUSE_SECONDS if slow else 0
            await client.send(SLOW if slow else WRITE, fresh=fresh, pause=pause)

        async with asyncio.TaskGroup() as group:
            is_over = lambda: done.is_set() and len(client.outcomes) >= requests  # noqa: E731
            group.create_task(at_rate(RATE, send, is_over))
            for number in range(replacements):
                leaving = replicas[number % 3]
                leaving.terminate()
                await asyncio.sleep(lag)
                active.remove(leaving.port)
                assert await leaving.exited() == 0
                assert leaving.stderr() == b""
                replicas[number % 3] = await start(places[number % 3])
            done.set()
        return client.outcomes


needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")


@pytest.mark.parametrize(
    ("balancer", "lag"),
    [
        pytest.param(kube_proxy, 1, id="kube-proxy-1-s"),
        pytest.param(kube_proxy, 3, id="kube-proxy-3-s"),
        pytest.param(haproxy, 0, marks=needs_haproxy, id="haproxy"),
    ],
)
async def test_replacing_all_replicas_fails_no_request(
    environment: dict[str, str], measure: Measure, balancer: Balancer, lag: int
) -> None:
    environment["DRAIN_SECONDS"] = str(lag + 1)
    requests, replacements = int(scaled(20_000, 1000)), int(scaled(16, 2))
    outcomes = await replace_replicas(environment, balancer, lag, replacements, requests)
    measure(f"requests in {replacements} replacements", len(outcomes), "", at_least=requests)
    failed = failures(outcomes)
    measure(f"failed requests {dict(failed) or ''}".rstrip(), failed.total(), "", at_most=0)


async def test_requests_fail_without_a_drain(environment: dict[str, str], measure: Measure) -> None:
    """Without this, the experiment above could pass for another reason."""
    environment["DRAIN_SECONDS"] = "0"
    outcomes = await replace_replicas(environment, kube_proxy, 1, int(scaled(4, 2)), 0)
    measure("failed requests without a drain", failures(outcomes).total(), "", at_least=1)
