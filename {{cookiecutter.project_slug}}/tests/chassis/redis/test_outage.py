"""Redis goes away and comes back: the process says so once, and serves all the same."""

import asyncio
import json
from collections.abc import Callable

import pytest
from redis import Redis
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.redis import client as adapter
from {{ cookiecutter.package_name }}.chassis.redis.client import open_redis
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.proxy import Proxy
from ...support.service import Service, run, until
from ..test_stopping import assert_ends_at_once, assert_leaves_well

LIMITED = "/openapi.json"


def assert_degraded(service: Service) -> None:
    for _ in range(20):
        answer = service.get(LIMITED)
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers
    assert service.get("/livez").status_code == 200
    ready = service.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert ready.json()["checks"]["redis"] == "degraded"


def assert_in_order(service: Service) -> None:
    until(lambda: service.get("/readyz").json()["checks"]["redis"] == "ok")
    for _ in range(20):
        assert service.get(LIMITED).headers["ratelimit"]


def said(service: Service) -> list[str]:
    """Return what the process said of Redis until now."""
    events = [json.loads(line)["event"] for line in service.lines]
    return [event for event in events if "redis" in event]


def test_a_redis_that_is_down_at_the_start(redis_proxy: Proxy, environment: dict[str, str]) -> None:
    redis_proxy.cut()
    with Service(environment) as service:
        assert_degraded(service)
        redis_proxy.open()
        assert_in_order(service)


def test_a_redis_that_dies_and_comes_back(redis_proxy: Proxy, service: Service) -> None:
    assert_in_order(service)
    redis_proxy.cut()
    assert_degraded(service)
    redis_proxy.open()
    assert_in_order(service)
    service.terminate()
    assert service.wait() == 0
    assert said(service) == ["redis unavailable", "redis available"]


def test_a_redis_that_was_restarted_between_two_requests(
    redis_proxy: Proxy, service: Service
) -> None:
    assert_in_order(service)
    redis_proxy.cut()
    redis_proxy.open()
    assert service.get(LIMITED).headers["ratelimit"]


def test_a_redis_that_freezes_and_goes_on(redis_proxy: Proxy, service: Service) -> None:
    assert_in_order(service)
    redis_proxy.freeze()
    assert_degraded(service)
    redis_proxy.thaw()
    assert_in_order(service)


@pytest.mark.parametrize("outage", [Proxy.cut, Proxy.freeze])
def test_an_outage_does_not_keep_the_process(
    redis_proxy: Proxy, environment: dict[str, str], outage: Callable[[Proxy], None]
) -> None:
    with Service(environment | {"SHUTDOWN_SECONDS": "2"}) as service:
        assert_in_order(service)
        outage(redis_proxy)
        assert_leaves_well(service)


@pytest.mark.parametrize("outage", [Proxy.cut, Proxy.freeze])
def test_in_an_outage_a_second_signal_ends_it_at_once(
    redis_proxy: Proxy, environment: dict[str, str], outage: Callable[[Proxy], None]
) -> None:
    with Service(environment | {"DRAIN_SECONDS": "300"}) as service:
        assert_in_order(service)
        outage(redis_proxy)
        assert_ends_at_once(service)


@pytest.mark.parametrize("url", ["redis://nowhere.invalid", "redis://a..b", "unix:///no/such"])
def test_an_address_that_cannot_be_reached_is_an_outage(
    environment: dict[str, str], url: str
) -> None:
    with Service(environment | {"REDIS_URL": url}) as service:
        assert_degraded(service)


def test_check_says_what_is_missing(redis_proxy: Proxy, environment: dict[str, str]) -> None:
    redis_proxy.cut()
    done = run(environment, "check")
    assert done.returncode == 69
    assert done.stderr == ""
    assert '"degraded"' in done.stdout


async def test_after_a_failure_nothing_is_asked_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PAUSE_SECONDS", 3600)
    asked = 0

    async def command() -> None:
        nonlocal asked
        asked += 1
        raise ConnectionError

    async with open_redis(settings, "test") as redis:
        for _ in range(10):
            with pytest.raises(Unavailable, match="ConnectionError"):
                await redis.ask(command)
        assert asked == 1
        assert await redis.ping() == "degraded"
        with pytest.raises(Unavailable):
            await redis.insist(command)
        assert asked == 2
        await redis.insist(redis.client.ping)
        assert await redis.ping() == "ok"


async def test_one_late_answer_among_others_is_no_outage(settings: Settings) -> None:
    with capture_logs() as lines:
        async with open_redis(settings, "test") as redis:
            late = asyncio.create_task(redis.ask(asyncio.Event().wait))
            assert await redis.ping() == "ok"
            with pytest.raises(Unavailable, match="TimeoutError"):
                await late
            assert await redis.ping() == "ok"
    assert lines == []


async def test_an_outage_and_its_end_are_told_once(
    redis_proxy: Proxy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PAUSE_SECONDS", 0)
    with capture_logs() as lines:
        async with open_redis(settings, "test") as redis:
            for change, health in ((redis_proxy.cut, "degraded"), (redis_proxy.open, "ok")):
                change()
                for _ in range(3):
                    assert await redis.ping() == health
    assert [line["event"] for line in lines] == ["redis unavailable", "redis available"]
    assert lines[0]["failure"] == "ConnectionError"


async def test_the_server_knows_our_process_by_name(
    settings: Settings, attached_redis: Redis
) -> None:
    named = settings.model_copy(update={"otel_service_name": "tea & biscuits"})
    async with open_redis(named, "test") as redis:
        assert await redis.ping() == "ok"
        names = {client["name"] for client in attached_redis.client_list()}
    assert "tea-&-biscuits:test" in names
