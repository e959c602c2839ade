"""Database outages under load: quick 503 responses, no acknowledged write lost, no leak."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import pytest

from tests.support.service import Proxy, Service
from tests.twelve_factor.project import example_resource
from tests.twelve_factor.report import Measure

from .load import Client, Outcome, at_rate, failures, p99, scaled
from .replica import replica
from .test_fuzz import fuzz
from .test_leaks import measure_leaks
from .traffic import LIVE, READY, WRITE, request

RATE = 50
PROBE_SECONDS = 2
"""Period of the readiness probe of a platform."""
OUTAGE_SECONDS = 6


class Outage(NamedTuple):
    """The start and end of an outage, and its limits in seconds."""

    start: Callable[[Proxy], None]
    end: Callable[[Proxy], None]
    slowest_response: float
    recovery: float


OUTAGES = {
    # A request waits 2 s for a connection; a busy machine takes a little longer to respond.
    "killed": Outage(Proxy.cut, Proxy.open, slowest_response=2.5, recovery=3),
    "frozen": Outage(Proxy.freeze, Proxy.thaw, slowest_response=5, recovery=5),
}


def last_failure(outcomes: list[Outcome], since: float, until: float) -> float:
    """Return the seconds from `since` to the start of the last failed request."""
    failed = [o.started for o in outcomes if not o.is_expected and since <= o.started < until]
    return max(failed, default=since) - since


@pytest.mark.parametrize("name", OUTAGES)
async def test_service_responds_in_an_outage_and_recovers(
    database_proxy: Proxy, environment: dict[str, str], measure: Measure, name: str
) -> None:
    example_resource()
    outage, rounds = OUTAGES[name], int(scaled(3, 1))
    done = asyncio.Event()
    unready = recovery = 0.0
    async with (
        replica(environment) as service,
        Client(service.port) as writer,
        Client(service.port) as live,
        Client(service.port) as ready,
        asyncio.TaskGroup() as group,
    ):
        for rate, client, sent in ((RATE, writer, WRITE), (20, live, LIVE), (10, ready, READY)):
            group.create_task(at_rate(rate, lambda _, c=client, s=sent: c.send(s), done.is_set))  # type: ignore[misc]
        await asyncio.sleep(1)
        for _ in range(rounds):
            started = monotonic()
            await asyncio.to_thread(outage.start, database_proxy)
            await asyncio.sleep(OUTAGE_SECONDS)
            ended = monotonic()
            await asyncio.to_thread(outage.end, database_proxy)
            await asyncio.sleep(outage.recovery + 2)
            reported = [o.started + o.seconds for o in ready.outcomes if o.status == 503]
            unready = max(unready, min(t for t in [*reported, ended] if t > started) - started)
            for client in (writer, ready):
                recovery = max(recovery, last_failure(client.outcomes, ended, monotonic()))
        done.set()

    acknowledged = [o.location for o in writer.outcomes if o.status == 201]
    async with replica(environment) as service, Client(service.port) as reader:
        for location in acknowledged:
            await reader.send(request("GET", location, 200))
    unavailable = sum(o.status == 503 for o in writer.outcomes)
    measure(f"503 responses in {rounds} outages", unavailable, "", at_least=20)
    others = failures(writer.outcomes, 503)
    measure(f"other failures {dict(others) or ''}".rstrip(), others.total(), "", at_most=0)
    lost = failures(reader.outcomes).total()
    measure(f"lost of {len(acknowledged)} acknowledged writes", lost, "", at_most=0)
    slowest = max(o.seconds for o in writer.outcomes)
    measure("slowest response", slowest, "s", at_most=outage.slowest_response)
    measure("p99 of /livez in outages", p99(live.outcomes), "ms", at_most=100)
    measure("time until /readyz returns 503", unready, "s", at_most=2 * PROBE_SECONDS)
    measure("time to recover", recovery, "s", at_most=outage.recovery)


def test_all_responses_conform_to_the_openapi_document_in_an_outage(
    database_proxy: Proxy, service: Service, tmp_path: Path, measure: Measure
) -> None:
    database_proxy.cut()
    # Each response takes as long as the timeout for a connection, so send several at once.
    requests = fuzz(service.url, tmp_path, int(scaled(5, 1)), "503", workers=8)
    measure("fuzzed requests in an outage", requests, "", at_least=10)
    assert service.get("/livez").status_code == 200


async def test_outages_leak_nothing(
    database_proxy: Proxy, environment: dict[str, str], measure: Measure
) -> None:
    async def interrupt() -> None:
        while True:
            await asyncio.sleep(4)
            await asyncio.to_thread(database_proxy.cut)
            try:
                await asyncio.sleep(1)
            finally:
                await asyncio.to_thread(database_proxy.open)

    async with replica(environment) as service:
        interruptions = asyncio.create_task(interrupt())
        try:
            # More memory than without outages: more requests wait at once than before.
            await measure_leaks(service, measure, 503, megabytes=30)
        finally:
            interruptions.cancel()
            with suppress(asyncio.CancelledError):
                await interruptions
