"""The database goes away and comes back: the process stays, says so, and recovers by itself."""

from collections.abc import Callable, Iterator
from time import monotonic

import httpx
import pytest

from .proxy import Proxy
from .service import PATIENCE, Service, run

TEA = {"item": "tea", "quantity": 1}


@pytest.fixture
def proxy(environment: dict[str, str]) -> Iterator[Proxy]:
    """Put ourselves between the service and its database."""
    proxy = Proxy(environment["DATABASE_URL"])
    environment["DATABASE_URL"] = proxy.url
    yield proxy
    proxy.close()


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again until it is so."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline


def assert_out_of_order(service: Service) -> None:
    assert service.get("/livez").status_code == 200
    ready = service.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"].keys() == {"database"}
    for answer in (
        service.get("/orders"),
        httpx.post(f"{service.url}/orders", json=TEA, timeout=PATIENCE),
    ):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"]


def assert_in_order(service: Service) -> None:
    until(lambda: service.get("/readyz").status_code == 200)
    for _ in range(20):
        assert httpx.post(f"{service.url}/orders", json=TEA).status_code == 201
        assert service.get("/orders").status_code == 200


def test_a_database_that_is_down_at_the_start(proxy: Proxy, environment: dict[str, str]) -> None:
    proxy.cut()
    with Service(environment) as service:
        assert_out_of_order(service)
        proxy.open()
        assert_in_order(service)


def test_a_database_that_dies_and_comes_back(proxy: Proxy, service: Service) -> None:
    assert_in_order(service)
    proxy.cut()
    assert_out_of_order(service)
    proxy.open()
    assert_in_order(service)


def test_a_database_that_was_restarted_between_two_requests(proxy: Proxy, service: Service) -> None:
    assert_in_order(service)
    proxy.cut()
    proxy.open()
    assert service.get("/orders").status_code == 200


def test_a_database_that_freezes_and_goes_on(proxy: Proxy, service: Service) -> None:
    assert_in_order(service)
    proxy.freeze()
    assert_out_of_order(service)
    proxy.thaw()
    assert_in_order(service)


def test_a_frozen_database_does_not_keep_the_process(
    proxy: Proxy, environment: dict[str, str]
) -> None:
    with Service(environment | {"SHUTDOWN_SECONDS": "2"}) as service:
        assert_in_order(service)
        proxy.freeze()
        service.terminate()
        assert service.wait() == 0
        assert service.stderr() == b""


@pytest.mark.parametrize("command", ["check", "cleanup"])
def test_a_command_says_what_is_missing(
    proxy: Proxy, environment: dict[str, str], command: str
) -> None:
    proxy.cut()
    done = run(environment, command)
    assert done.returncode == 69
    assert done.stderr == ""
    assert "Timeout" in done.stdout
