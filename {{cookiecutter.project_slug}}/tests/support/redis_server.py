"""A real Redis for the tests: the server of `REDIS_URL`, or a local one."""

import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from redis import Redis

from dev.backing_services.redis import RedisNotStarted, server

from .service import Proxy


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Yield the URL of an empty database."""
    if url := os.environ.get("REDIS_URL"):
        with Redis.from_url(url) as client:
            if client.dbsize():
                pytest.exit("REDIS_URL is not empty; the tests would delete its keys", 1)
        yield url
        return
    try:
        with server() as url:
            yield url
    except RedisNotStarted as reason:
        pytest.exit(f"{reason}; or set REDIS_URL", 1)


@pytest.fixture(autouse=True)
def attached_redis(redis_url: str, environment: dict[str, str]) -> Iterator[Redis]:
    """Give each test an empty database and no rate limit; yield a client."""
    environment["REDIS_URL"] = redis_url
    environment["RATE_LIMIT_PER_MINUTE"] = "1000000"
    with Redis.from_url(redis_url) as client:
        yield client
        client.flushdb()


def server_address(redis: Redis) -> tuple[str, int] | str:
    """Return the host and port of the server, or the path of its socket."""
    address = redis.connection_pool.connection_kwargs
    host, port = address.get("host") or "127.0.0.1", address.get("port") or 6379
    return address.get("path") or (host, port)


@pytest.fixture
def redis_proxy(attached_redis: Redis, environment: dict[str, str]) -> Iterator[Proxy]:
    """Route the connections of the service to Redis through a proxy."""
    address = attached_redis.connection_pool.connection_kwargs
    proxy = Proxy(server_address(attached_redis))
    login = ":".join(quote(address.get(part) or "", safe="") for part in ("username", "password"))
    environment["REDIS_URL"] = f"redis://{login}@127.0.0.1:{proxy.port}/{address.get('db') or 0}"
    yield proxy
    proxy.close()
