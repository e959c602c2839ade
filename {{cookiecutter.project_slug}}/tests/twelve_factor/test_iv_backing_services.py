"""IV. Backing services: attach them by a URL in the environment, and survive their outages."""

from time import perf_counter

import pytest

from ..support.service import Proxy, Service, assert_stops, run, until
from . import project
from .report import Measure

FAILURES = {"degraded", "refused", "timeout", "unavailable"}
OUTAGES = {"down": (Proxy.cut, Proxy.open), "hanging": (Proxy.freeze, Proxy.thaw)}


@pytest.fixture(autouse=True)
def _backing_services() -> None:
    if not project.BACKING_SERVICES:
        project.not_applicable("the service has no backing services")


def slowest_response(service: Service) -> float:
    """Send a `GET` request to every path; return the seconds that the slowest response took."""
    slowest = 0.0
    for path in project.get_paths():
        start = perf_counter()
        assert service.get(path).status_code in {200, 503}
        slowest = max(slowest, perf_counter() - start)
    return slowest


def assert_unavailable(service: Service, name: str, measure: Measure) -> None:
    """Check that the service is live and that its readiness names the unavailable dependency."""
    with measure.seconds(f"liveness, {name} unavailable", at_most=project.CONCURRENT_SECONDS):
        assert service.get("/livez").status_code == 200
    ready = service.get("/readyz")
    check = ready.json()["checks"][name]
    assert check in FAILURES
    assert ready.status_code == (200 if check == "degraded" else 503)
    assert ready.status_code == 200 or name in ready.json()["detail"]


def wait_for_recovery(service: Service, name: str, measure: Measure) -> None:
    """Wait until the check of a backing service passes again."""
    with measure.seconds(f"recovery of {name}", at_most=project.RECOVERY_SECONDS):
        until(lambda: service.get("/readyz").json().get("checks", {}).get(name) == "ok")


def test_the_service_starts_during_an_outage_and_recovers(
    environment: dict[str, str], proxies: dict[str, Proxy], measure: Measure
) -> None:
    for name, proxy in proxies.items():
        proxy.cut()
        with Service(environment) as service:
            assert_unavailable(service, name, measure)
            assert run(environment, "check").returncode == 69
            slowest = slowest_response(service)
            measure(f"response, {name} down at start", slowest, "s", at_most=project.OUTAGE_SECONDS)
            proxy.open()
            wait_for_recovery(service, name, measure)


@pytest.mark.parametrize("state", OUTAGES)
def test_the_service_survives_an_outage_and_recovers(
    proxies: dict[str, Proxy], service: Service, measure: Measure, state: str
) -> None:
    begin, end = OUTAGES[state]
    for name, proxy in proxies.items():
        slowest_response(service)
        begin(proxy)
        slowest = slowest_response(service)
        measure(f"response, {name} {state}", slowest, "s", at_most=project.OUTAGE_SECONDS)
        assert_unavailable(service, name, measure)
        end(proxy)
        wait_for_recovery(service, name, measure)
    for proxy in proxies.values():
        begin(proxy)
    assert_stops(service)


def test_another_database_is_attached_by_its_url_alone(
    environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    resource = project.example_resource()
    other: dict[str, str] = request.getfixturevalue("unmigrated_environment")
    before = [path.read_bytes() for path in project.tracked()]
    with Service(environment) as service:
        path = resource.create(service.url)
    assert run(other, "migrate").returncode == 0
    with Service(other) as service:
        assert service.get(path).status_code == 404
        resource.create(service.url)
    with Service(environment) as service:
        assert service.get(path).status_code == 200
    assert [path.read_bytes() for path in project.tracked()] == before
