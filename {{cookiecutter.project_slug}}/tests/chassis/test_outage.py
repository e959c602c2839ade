"""The database goes away and comes back: the process stays, says so, and recovers by itself."""

from collections.abc import Callable

import pytest

from ..support.proxy import Proxy
from ..support.service import Service, fetch, run, until
from .test_stopping import assert_ends_at_once, assert_leaves_well

TEA = {"item": "tea", "quantity": 1}


def assert_out_of_order(service: Service) -> None:
    assert service.get("/livez").status_code == 200
    ready = service.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["detail"] == "Not ready: database."
    for answer in (
        service.get("/orders"),
        fetch(f"{service.url}/orders", "POST", json=TEA),
    ):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"]


def assert_in_order(service: Service) -> None:
    until(lambda: service.get("/readyz").status_code == 200)
    for _ in range(20):
        assert fetch(f"{service.url}/orders", "POST", json=TEA).status_code == 201
        assert service.get("/orders").status_code == 200


def test_a_database_that_is_down_at_the_start(
    database_proxy: Proxy, environment: dict[str, str]
) -> None:
    database_proxy.cut()
    with Service(environment) as service:
        assert_out_of_order(service)
        database_proxy.open()
        assert_in_order(service)


def test_a_database_that_dies_and_comes_back(database_proxy: Proxy, service: Service) -> None:
    assert_in_order(service)
    database_proxy.cut()
    assert_out_of_order(service)
    database_proxy.open()
    assert_in_order(service)


def test_a_database_that_was_restarted_between_two_requests(
    database_proxy: Proxy, service: Service
) -> None:
    assert_in_order(service)
    database_proxy.cut()
    database_proxy.open()
    assert service.get("/orders").status_code == 200


def test_a_database_that_freezes_and_goes_on(database_proxy: Proxy, service: Service) -> None:
    assert_in_order(service)
    database_proxy.freeze()
    assert_out_of_order(service)
    database_proxy.thaw()
    assert_in_order(service)


@pytest.mark.parametrize("outage", [Proxy.cut, Proxy.freeze])
def test_an_outage_does_not_keep_the_process(
    database_proxy: Proxy, environment: dict[str, str], outage: Callable[[Proxy], None]
) -> None:
    with Service(environment | {"SHUTDOWN_SECONDS": "2"}) as service:
        assert_in_order(service)
        outage(database_proxy)
        assert_leaves_well(service)


@pytest.mark.parametrize("outage", [Proxy.cut, Proxy.freeze])
def test_in_an_outage_a_second_signal_ends_it_at_once(
    database_proxy: Proxy, environment: dict[str, str], outage: Callable[[Proxy], None]
) -> None:
    with Service(environment | {"DRAIN_SECONDS": "300"}) as service:
        assert_in_order(service)
        outage(database_proxy)
        assert_ends_at_once(service)


@pytest.mark.parametrize("command", ["check", "cleanup"])
def test_a_command_says_what_is_missing(
    database_proxy: Proxy, environment: dict[str, str], command: str
) -> None:
    database_proxy.cut()
    done = run(environment, command)
    assert done.returncode == 69
    assert done.stderr == ""
    assert "Timeout" in done.stdout
