"""No request is lost while every replica is replaced, again and again, under load.

A balancer of connections goes on sending new ones to a replica for a while after it was told to
stop, as a cluster does until every node knows; a drain that is longer than this lag loses nothing.
Half of the requests come on connections that were used before, a quarter on new ones, and a
quarter takes its time in the middle of a request. No client tries anything twice.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest

from tests.twelve_factor.report import Measure

from .balancer import Balancer
from .load import Client, Outcome, failures, paced
from .replica import Replica, replica
from .scale import RATE, scaled
from .traffic import SLOW, WRITE

SLOW_SECONDS = 0.2


async def roll(
    environment: Mapping[str, str], lag: float, replacements: int, requests: int
) -> list[Outcome]:
    """Replace so many replicas of two, one after the other, while at least so many requests come.

    Each is taken out of the balancer `lag` seconds after it was told to stop.
    """
    done = asyncio.Event()
    async with AsyncExitStack() as stack:
        balancer = await stack.enter_async_context(Balancer())
        client = await stack.enter_async_context(Client(balancer.port))
        replicas: deque[Replica] = deque()

        async def join() -> None:
            replicas.append(await stack.enter_async_context(replica(environment)))
            balancer.ports.append(replicas[-1].port)

        async def ask(number: int) -> None:
            slow, fresh = number % 4 == 1, number % 4 == 3
            pause = SLOW_SECONDS if slow else 0
            await client.ask(SLOW if slow else WRITE, fresh=fresh, pause=pause)

        await join()
        await join()
        async with asyncio.TaskGroup() as group:
            over = lambda: done.is_set() and len(client.outcomes) >= requests  # noqa: E731
            group.create_task(paced(RATE, ask, over))
            for _ in range(replacements):
                await join()
                leaving = replicas.popleft()
                leaving.terminate()
                await asyncio.sleep(lag)
                balancer.ports.remove(leaving.port)
                assert await leaving.end() == 0
                assert leaving.stderr() == b""
            done.set()
        return client.outcomes


@pytest.mark.parametrize("lag", [1, 3])
async def test_replacing_every_replica_loses_no_request(
    environment: dict[str, str], measure: Measure, lag: int
) -> None:
    environment["DRAIN_SECONDS"] = str(lag + 1)
    requests, replacements = int(scaled(20_000, 1000)), int(scaled(16, 2))
    outcomes = await roll(environment, lag, replacements, requests)
    measure(f"requests in {replacements} replacements", len(outcomes), "", at_least=requests)
    failed = failures(outcomes)
    measure(f"of these failed {dict(failed) or ''}".rstrip(), failed.total(), "", at_most=0)


async def test_without_a_drain_requests_are_lost(
    environment: dict[str, str], measure: Measure
) -> None:
    """The experiment can fail: otherwise the one above proves nothing."""
    environment["DRAIN_SECONDS"] = "0"
    outcomes = await roll(environment, 1, int(scaled(4, 2)), 1000)
    lost = failures(outcomes).total() / len(outcomes) * 100
    measure("requests lost without a drain", lost, "%", at_least=1, at_most=50)
