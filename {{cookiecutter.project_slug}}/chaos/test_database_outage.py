"""Under load the database is killed, and frozen, and comes back: nobody waits long or is lied to.

While it is away requests are answered 503 in bounded time; every order that was acknowledged is
there afterwards. A figure of an outage is that of the worst of its rounds.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

import pytest

from tests.support.service import Proxy
from tests.twelve_factor.report import Measure

from .load import Client, Outcome, failures, p99, paced
from .replica import replica
from .scale import scaled
from .traffic import LIVE, READY, WRITE, request

RATE = 50
PROBE_SECONDS = 2
"""How often a platform asks whether a replica is ready."""
AWAY_SECONDS = 6


class Outage(NamedTuple):
    """How the database goes away and comes back, and what that may cost, in seconds."""

    begin: Callable[[Proxy], None]
    end: Callable[[Proxy], None]
    answered: float
    recovered: float


OUTAGES = {
    # A request waits for a connection for 2 s, and is then answered by a busy machine.
    "killed": Outage(Proxy.cut, Proxy.open, answered=2.5, recovered=3),
    "frozen": Outage(Proxy.freeze, Proxy.thaw, answered=5, recovered=5),
}


def since(moment: float, outcomes: list[Outcome], *, until: float) -> float:
    """Return how long after a moment the last request began that was not answered well."""
    bad = [o.started for o in outcomes if o.said != o.right and moment <= o.started < until]
    return max(bad, default=moment) - moment


@pytest.mark.parametrize("kind", OUTAGES)
async def test_requests_are_answered_while_the_database_is_away(
    database_proxy: Proxy, environment: dict[str, str], measure: Measure, kind: str
) -> None:
    outage, rounds = OUTAGES[kind], int(scaled(3, 1))
    done = asyncio.Event()
    unready = recovered = 0.0
    async with (
        replica(environment) as service,
        Client(service.port) as client,
        Client(service.port) as live,
        Client(service.port) as ready,
        asyncio.TaskGroup() as group,
    ):
        for rate, asker, what in ((RATE, client, WRITE), (20, live, LIVE), (10, ready, READY)):
            group.create_task(paced(rate, lambda _, a=asker, w=what: a.ask(w), done.is_set))  # type: ignore[misc]
        await asyncio.sleep(1)
        for _ in range(rounds):
            began = monotonic()
            await asyncio.to_thread(outage.begin, database_proxy)
            await asyncio.sleep(AWAY_SECONDS)
            back = monotonic()
            await asyncio.to_thread(outage.end, database_proxy)
            await asyncio.sleep(outage.recovered + 2)
            noticed = [o.started + o.seconds for o in ready.outcomes if o.said == 503]
            unready = max(unready, min(t for t in [*noticed, back] if t > began) - began)
            for asker in (client, ready):
                lasted = since(back, asker.outcomes, until=monotonic())
                recovered = max(recovered, lasted)
        done.set()

    acknowledged = [o.location for o in client.outcomes if o.said == 201]
    refused = [o for o in client.outcomes if o.said == 503]
    slowest = max(o.seconds for o in client.outcomes)
    async with replica(environment) as service, Client(service.port) as client_after:
        for location in acknowledged:
            await client_after.ask(request("GET", location, 200))
    measure(f"requests answered 503 in {rounds} outages", len(refused), "", at_least=20)
    others = failures(client.outcomes, 503)
    measure(f"answered otherwise {dict(others) or ''}".rstrip(), others.total(), "", at_most=0)
    lost = failures(client_after.outcomes).total()
    measure(f"of {len(acknowledged)} acknowledged orders lost", lost, "", at_most=0)
    measure("slowest request", slowest, "s", at_most=outage.answered)
    measure("p99 of /livez meanwhile", p99(live.outcomes), "ms", at_most=100)
    measure("until /readyz said 503", unready, "s", at_most=2 * PROBE_SECONDS)
    measure("until all was well again", recovered, "s", at_most=outage.recovered)
