"""Metrics of the event loop, of requests in flight and of readiness."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Literal

import pytest
from prometheus_client import REGISTRY

from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.http.connection import HttpConnection
from {{ cookiecutter.package_name }}.chassis.observability import saturation
from {{ cookiecutter.package_name }}.chassis.observability.saturation import (
    REQUEST,
    TICK_SECONDS,
    EventLoopLag,
    active_requests,
    open_saturation,
)
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness

from ..support.service import Service, fetch


def metric(name: str, /, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


@pytest.fixture(autouse=True)
def without_saturation() -> Iterator[None]:
    yield
    saturation._saturation.checks = None  # noqa: SLF001


async def test_the_longest_delay_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(saturation, "monotonic", lambda: clock.now)
    lag = EventLoopLag()
    assert lag.pop() == 0
    clock.now += TICK_SECONDS + 3
    lag._tick()  # noqa: SLF001
    clock.now += TICK_SECONDS + 2
    assert lag.pop() == pytest.approx(3)
    assert lag.pop() == 0
    lag._tick()  # noqa: SLF001
    clock.now += TICK_SECONDS + 1
    assert lag.pop() == pytest.approx(1)


async def test_the_timer_is_repeated() -> None:
    ticks = asyncio.Queue[None]()

    class Counted(EventLoopLag):
        def _tick(self) -> None:
            super()._tick()
            ticks.put_nowait(None)

    Counted()
    for _ in range(3):
        await ticks.get()


async def test_readiness_is_that_of_the_last_check() -> None:
    readiness, results = Readiness(), {"cache": "ok", "database": "ok"}

    async def ping_cache() -> Literal["ok", "degraded"]:
        return "ok" if results["cache"] == "ok" else "degraded"

    async def ping_database() -> Literal["ok"]:
        if results["database"] != "ok":
            raise Unavailable("database", results["database"])
        return "ok"

    readiness.pings = open_saturation(readiness, {"cache": ping_cache, "database": ping_database})
    assert metric("service_ready") is metric("backing_service_available", name="cache") is None

    for cache, database, expected in (
        ("ok", "ok", (1, 1, 1)),
        ("degraded", "ok", (0, 1, 1)),
        ("ok", "timeout", (1, 0, 0)),
        ("ok", "ok", (1, 1, 1)),
    ):
        results.update(cache=cache, database=database)
        assert (await readiness.checks())["database"] == database
        available = [metric("backing_service_available", name=name) for name in readiness.pings]
        assert (*available, metric("service_ready")) == expected

    readiness.draining = True
    assert metric("service_ready") == 0
    assert metric("backing_service_available", name="database") == 1


async def test_an_unexpected_error_is_not_ready() -> None:
    async def ping() -> Literal["ok"]:
        raise RuntimeError

    readiness = Readiness()
    readiness.pings = open_saturation(readiness, {"database": ping})
    with pytest.raises(RuntimeError):
        await readiness.checks()
    assert metric("service_ready") == metric("backing_service_available", name="database") == 0


async def test_a_process_without_backing_services_is_ready() -> None:
    readiness = Readiness()
    assert open_saturation(readiness, {}) == {}
    assert metric("service_ready") == 1


async def test_requests_are_counted_without_the_scrape() -> None:
    async def request() -> int:
        return active_requests()

    assert HttpConnection._respond.__qualname__ == REQUEST  # noqa: SLF001
    request.__qualname__ = REQUEST
    other = asyncio.create_task(request())
    assert active_requests() == 1
    assert await other == 0


def test_a_web_process_reports_readiness_and_saturation(service: Service) -> None:
    def value(name: str) -> float:
        lines = fetch(service.metrics_url).text.splitlines()
        (found,) = (line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} "))
        return float(found)

    assert value("http_server_active_requests") == 0
    assert value("event_loop_lag_seconds") >= 0
    assert service.get("/readyz").status_code == 200
    assert value("service_ready") == 1
