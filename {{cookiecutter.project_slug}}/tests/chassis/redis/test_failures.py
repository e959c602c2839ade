"""Failures of Redis: categories, and a failover to another server."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import pytest
from pydantic import TypeAdapter
from redis import Redis
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from dev.backing_services.redis import server

from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.redis import client as adapter
from {{ cookiecutter.package_name }}.chassis.redis.client import open_redis
from {{ cookiecutter.package_name }}.chassis.redis.failures import category
from {{ cookiecutter.package_name }}.chassis.redis.settings import RedisUrl
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.redis_server import server_address
from ...support.service import Proxy


@pytest.fixture
def other_server() -> Iterator[Redis]:
    """Yield a client of a second server."""
    with server() as url, Redis.from_url(url) as client:
        yield client


@pytest.fixture
def limited_user(attached_redis: Redis, commands: list[str]) -> Iterator[str]:
    """Yield the name of a user who may use all commands but some."""
    name = f"test_{uuid4().hex}"
    rights = ["+@all", *(f"-{command}" for command in commands)]
    attached_redis.acl_setuser(name, enabled=True, nopass=True, commands=rights, keys=["*"])
    yield name
    attached_redis.acl_deluser(name)


async def failure(settings: Settings, url: str) -> str:
    """Return the category that an outage is logged with."""
    with capture_logs() as lines:
        update = {"redis_url": TypeAdapter(RedisUrl).validate_python(url)}
        async with open_redis(settings.model_copy(update=update), "test") as redis:
            assert await redis.ping() == "degraded"
    (line,) = lines
    assert line["event"] == "redis unavailable"
    return str(line["failure"])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://nowhere.invalid", "name"),
        ("redis://a..b", "name"),
        ("redis://127.0.0.1:1", "refused"),
        ("redis://localhost:1", "refused"),
        ("unix:///no/such/socket", "unavailable"),
        ("redis://nobody:wrong@127.0.0.1:{port}", "auth"),
        ("redis://127.0.0.1:{port}/1000000", "no database"),
    ],
)
async def test_an_unusable_address_is_an_outage_with_its_category(
    redis_proxy: Proxy, settings: Settings, url: str, expected: str
) -> None:
    assert await failure(settings, url.format(port=redis_proxy.port)) == expected


async def test_a_server_without_tls_is_an_outage(settings: Settings) -> None:
    async def respond(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR not TLS\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        assert await failure(settings, f"rediss://127.0.0.1:{port}") == "tls"


@pytest.mark.parametrize("commands", [["@write"], ["@scripting"], ["set"], ["del"]])
async def test_missing_rights_are_an_outage(
    redis_proxy: Proxy, settings: Settings, limited_user: str
) -> None:
    url = f"redis://{limited_user}:any@127.0.0.1:{redis_proxy.port}"
    assert await failure(settings, url) == "permission"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("ERR Error running script: @user_script: 10: -READONLY You can't write", "read-only"),
        ("MISCONF Redis is configured to save RDB snapshots, but", "read-only"),
        ("NOREPLICAS Not enough good replicas to write.", "read-only"),
        ("ERR ACL failure in script: User app has no permissions to run 'set'", "permission"),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", "unavailable"),
    ],
)
def test_responses_without_a_type_have_a_category(message: str, expected: str) -> None:
    assert category(ResponseError(message)) == expected


async def test_a_failover_is_one_outage_until_the_address_leads_to_the_new_primary(
    redis_proxy: Proxy,
    settings: Settings,
    attached_redis: Redis,
    other_server: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "PAUSE_SECONDS", 0)
    redis_proxy.server = server_address(other_server)
    with capture_logs() as lines:
        async with open_redis(settings, "test") as redis:
            assert await asyncio.gather(*(redis.ping() for _ in range(5))) == ["ok"] * 5
            other_server.replicaof("127.0.0.1", "1")
            for _ in range(5):
                assert await redis.ping() == "degraded"
                with suppress(Unavailable):
                    await redis.call(redis.client.get, "key")  # A replica responds to it.
            redis_proxy.server = server_address(attached_redis)
            assert await asyncio.gather(*(redis.ping() for _ in range(5))) == ["ok"] * 5
    assert [line["event"] for line in lines] == ["redis unavailable", "redis available"]
    assert lines[0]["failure"] == "read-only"
