"""Outages of Redis: requests are served without it, and each outage is logged once."""

import asyncio

import httpx
import pytest
from redis import Redis
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.redis import client as adapter
from {{ cookiecutter.package_name }}.chassis.redis.client import open_redis
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import TIMEOUT, Proxy

LIMITED = "/openapi.json"


async def test_requests_are_served_in_an_outage_and_limited_after_it(
    redis_proxy: Proxy, client: httpx.AsyncClient
) -> None:
    assert (await client.get(LIMITED)).headers["ratelimit"]
    outages = [(redis_proxy.cut, redis_proxy.open), (redis_proxy.freeze, redis_proxy.thaw)]
    for outage, end in outages:
        outage()
        for _ in range(20):
            response = await client.get(LIMITED)
            assert response.status_code == 200
            assert "ratelimit" not in response.headers
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["redis"]) == (200, "degraded")
        end()
        async with asyncio.timeout(TIMEOUT):
            while (await client.get("/readyz")).json()["checks"]["redis"] != "ok":
                pass
        assert (await client.get(LIMITED)).headers["ratelimit"]


async def test_a_failure_suspends_commands_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PAUSE_SECONDS", 3600)
    attempts = 0

    async def command() -> None:
        nonlocal attempts
        attempts += 1
        raise ConnectionError

    async with open_redis(settings, "test") as redis:
        for _ in range(10):
            with pytest.raises(Unavailable, match="unavailable"):
                await redis.call(command)
        assert attempts == 1
        assert await redis.ping() == "degraded"
        with pytest.raises(Unavailable):
            await redis.call_always(command)
        assert attempts == 2


async def test_one_timeout_among_other_commands_is_not_an_outage(settings: Settings) -> None:
    with capture_logs() as lines:
        async with open_redis(settings, "test") as redis:
            late = asyncio.create_task(redis.call(asyncio.Event().wait))
            assert await redis.ping() == "ok"
            with pytest.raises(Unavailable, match="timeout"):
                await late
            assert await redis.ping() == "ok"
    assert lines == []


async def test_an_outage_and_its_end_are_logged_once(
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
    assert lines[0]["failure"] == "refused"


async def test_connections_carry_the_name_of_the_process(
    settings: Settings, attached_redis: Redis
) -> None:
    named = settings.model_copy(update={"otel_service_name": "tea & biscuits"})
    async with open_redis(named, "test") as redis:
        assert await redis.ping() == "ok"
        names = {client["name"] for client in attached_redis.client_list()}
    assert "tea-&-biscuits:test" in names
