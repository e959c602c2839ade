"""IV. Backing services: attached by an address in the environment, and missed without damage."""

from time import perf_counter

import httpx
import pytest

from ..support.service import TIMEOUT, Proxy, Service, assert_stops, run, until
from .project import (
    BACKING_SERVICES,
    OUTAGE_SECONDS,
    RECOVERY_SECONDS,
    not_applicable,
    readable_paths,
)
from .report import Measure


@pytest.fixture(autouse=True)
def _something_is_attached() -> None:
    if not BACKING_SERVICES:
        not_applicable("nothing is attached")


def slowest_answer(service: Service) -> float:
    """Ask for everything that can be asked for; return the seconds that the slowest answer took."""
    slowest = 0.0
    for path in readable_paths():
        started = perf_counter()
        assert service.get(path).status_code in {200, 503}
        slowest = max(slowest, perf_counter() - started)
    return slowest


def assert_missed(service: Service, name: str) -> None:
    """Check that the service lives and says which backing service it misses, and how much."""
    assert service.get("/livez").status_code == 200
    ready = service.get("/readyz")
    said = ready.json()["checks"][name]
    assert said != "ok"
    assert ready.status_code == (200 if said == "degraded" else 503)
    assert ready.status_code == 200 or name in ready.json()["detail"]


def recovery(service: Service, name: str) -> float:
    """Return the seconds until the service finds the backing service fit for use again."""
    started = perf_counter()
    until(lambda: service.get("/readyz").json().get("checks", {}).get(name) == "ok")
    return perf_counter() - started


def test_one_that_is_down_at_the_start_is_waited_for(
    environment: dict[str, str], proxies: dict[str, Proxy], measure: Measure
) -> None:
    for name, proxy in proxies.items():
        proxy.cut()
        with Service(environment) as service:
            assert_missed(service, name)
            assert run(environment, "check").returncode == 69
            measure(f"{name} down", slowest_answer(service), "s", at_most=OUTAGE_SECONDS)
            proxy.open()
            measure(f"{name} found", recovery(service, name), "s", at_most=RECOVERY_SECONDS)


def test_one_that_dies_is_missed_and_found_again(
    proxies: dict[str, Proxy], service: Service, measure: Measure
) -> None:
    for name, proxy in proxies.items():
        slowest_answer(service)
        proxy.cut()
        assert_missed(service, name)
        measure(f"{name} dead", slowest_answer(service), "s", at_most=OUTAGE_SECONDS)
        proxy.open()
        measure(f"{name} back", recovery(service, name), "s", at_most=RECOVERY_SECONDS)
    for proxy in proxies.values():
        proxy.cut()
    assert_stops(service)


def test_one_that_says_nothing_holds_up_no_answer(
    proxies: dict[str, Proxy], service: Service, measure: Measure
) -> None:
    for name, proxy in proxies.items():
        slowest_answer(service)
        proxy.freeze()
        measure(f"{name} frozen", slowest_answer(service), "s", at_most=OUTAGE_SECONDS)
        assert_missed(service, name)
        proxy.thaw()
        measure(f"{name} thawed", recovery(service, name), "s", at_most=RECOVERY_SECONDS)
    for proxy in proxies.values():
        proxy.freeze()
    assert_stops(service)


def test_liveness_asks_none_of_them(
    environment: dict[str, str], proxies: dict[str, Proxy], measure: Measure
) -> None:
    with Service(environment) as service:
        until(lambda: service.get("/readyz").status_code == 200)
        for proxy in proxies.values():
            proxy.freeze()
        started = perf_counter()
        for _ in range(20):
            assert httpx.get(f"{service.url}/livez", timeout=TIMEOUT).status_code == 200
        measure("20 times live", perf_counter() - started, "s", at_most=OUTAGE_SECONDS / 2)
        for proxy in proxies.values():
            proxy.thaw()
