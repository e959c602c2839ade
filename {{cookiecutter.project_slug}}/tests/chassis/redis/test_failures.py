"""Failures of Redis: categories, and a failover to another server."""

import asyncio
from collections.abc import Callable, Iterator
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
from {{ cookiecutter.package_name }}.chassis.redis.connection import category
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


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "PAUSE_SECONDS", 0)


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda redis: redis.replicaof("127.0.0.1", "1"), "read-only"),
        (lambda redis: redis.config_set("maxmemory", 1), "unavailable"),
    ],
    ids=["demoted", "full"],
)
async def test_a_server_that_rejects_writes_is_one_outage_until_the_address_leads_to_another(
    redis_proxy: Proxy,
    settings: Settings,
    other_server: Redis,
    change: Callable[[Redis], object],
    expected: str,
) -> None:
    new_primary, redis_proxy.server = redis_proxy.server, server_address(other_server)
    with capture_logs() as lines:
        async with open_redis(settings, "test") as redis:
            assert await asyncio.gather(*(redis.ping() for _ in range(5))) == ["ok"] * 5
            change(other_server)
            for _ in range(5):
                # A replica responds to a read, and a full server to a deletion.
                with suppress(Unavailable):
                    await redis.call(redis.client.get, "key")
                with suppress(Unavailable):
                    await redis.call_always(redis.client.delete, "key")
                assert await redis.ping() == "degraded"
            redis_proxy.server = new_primary
            assert await asyncio.gather(*(redis.ping() for _ in range(5))) == ["ok"] * 5
    assert [line["event"] for line in lines] == ["redis unavailable", "redis available"]
    assert lines[0]["failure"] == expected


async def test_a_read_that_succeeds_meanwhile_does_not_hide_a_demotion(
    redis_proxy: Proxy, settings: Settings, other_server: Redis
) -> None:
    redis_proxy.server = server_address(other_server)
    other_server.replicaof("127.0.0.1", "1")
    with capture_logs() as lines:
        async with open_redis(settings, "test") as redis:

            async def write_after_read() -> None:
                await redis.call_always(redis.client.get, "key")
                await redis.client.set("key", "value")

            with suppress(Unavailable):
                await redis.call_always(write_after_read)
    assert [line["failure"] for line in lines] == ["read-only"]
