"""The rate limit: per client, over all replicas, with the RateLimit headers and `Retry-After`."""

import asyncio
import re

import httpx
import pytest
from redis import Redis

from {{ cookiecutter.package_name }}.chassis.http.rate_limit import client_key
from {{ cookiecutter.package_name }}.chassis.redis.client import open_redis
from {{ cookiecutter.package_name }}.chassis.redis.rate_limiter import (
    WINDOW_SECONDS,
    RedisRateLimiter,
)
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import Service, fetch, free_ports

LIMITED = "/openapi.json"
LIMIT = 3


@pytest.fixture(autouse=True)
def low_limit(environment: dict[str, str]) -> None:
    environment["RATE_LIMIT_PER_MINUTE"] = str(LIMIT)


def let_seconds_pass(redis: Redis, seconds: int) -> None:
    """Age the stored times, as if this many seconds had passed."""
    for key in redis.scan_iter("*:rate:*"):
        redis.decrby(key, seconds * 1_000_000)


async def test_responses_report_the_remaining_requests(client: httpx.AsyncClient) -> None:
    responses = [await client.get(path) for path in (LIMITED, "/no/such/path", LIMITED)]
    assert [response.status_code for response in responses] == [200, 404, 200]
    assert {response.headers["ratelimit-policy"] for response in responses} == {
        '"default";q=3;w=60'
    }
    left = [re.fullmatch(r'"default";r=(\d);t=(\d+)', a.headers["ratelimit"]) for a in responses]
    assert [int(found[1]) for found in left if found] == [2, 1, 0]
    assert [0 < int(found[2]) <= WINDOW_SECONDS for found in left if found] == [True] * 3


async def test_requests_over_the_limit_get_429_with_retry_after(client: httpx.AsyncClient) -> None:
    for _ in range(LIMIT):
        assert (await client.get(LIMITED)).status_code == 200
    rejected = await client.get(LIMITED)
    assert rejected.status_code == 429
    assert rejected.headers["content-type"] == "application/problem+json"
    assert rejected.json()["request_id"] == rejected.headers["x-request-id"]
    assert rejected.headers["ratelimit"].startswith('"default";r=0;t=')
    assert 0 < int(rejected.headers["retry-after"]) <= WINDOW_SECONDS / LIMIT


async def test_requests_are_allowed_again_after_a_wait(
    client: httpx.AsyncClient, attached_redis: Redis
) -> None:
    for _ in range(LIMIT + 5):
        rejected = await client.get(LIMITED)
    let_seconds_pass(attached_redis, int(rejected.headers["retry-after"]))
    assert [(await client.get(LIMITED)).status_code for _ in range(2)] == [200, 429]
    let_seconds_pass(attached_redis, WINDOW_SECONDS)
    assert [(await client.get(LIMITED)).status_code for _ in range(4)] == [200] * LIMIT + [429]


@pytest.mark.parametrize("seconds", [61, 3600])
async def test_a_clock_set_back_rejects_no_request(
    client: httpx.AsyncClient, attached_redis: Redis, seconds: int
) -> None:
    for _ in range(LIMIT + 1):
        await client.get(LIMITED)
    let_seconds_pass(attached_redis, -seconds)
    assert [(await client.get(LIMITED)).status_code for _ in range(4)] == [200] * LIMIT + [429]


@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_concurrent_requests_do_not_exceed_the_limit(settings: Settings, limit: int) -> None:
    async with open_redis(settings, "test") as redis:
        limited = settings.model_copy(update={"rate_limit_per_minute": limit})
        limiter = RedisRateLimiter(redis, limited)
        decisions = await asyncio.gather(*(limiter.hit("somebody") for _ in range(20)))
    assert [decision.allowed for decision in decisions].count(True) == limit


async def test_probes_are_not_limited(client: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz", "/version"):
        for _ in range(LIMIT + 1):
            response = await client.get(path)
            assert response.status_code == 200
            assert "ratelimit" not in response.headers
    assert (await client.get(LIMITED)).headers["ratelimit"].startswith('"default";r=2;')


async def test_counters_expire(client: httpx.AsyncClient, attached_redis: Redis) -> None:
    await client.get(LIMITED)
    (key,) = attached_redis.keys("*:rate:*")
    assert 0 < attached_redis.ttl(key) <= WINDOW_SECONDS / LIMIT


async def test_the_limit_fails_open(client: httpx.AsyncClient, attached_redis: Redis) -> None:
    await client.get(LIMITED)
    (key,) = attached_redis.keys("*:rate:*")
    attached_redis.set(key, "not a number")
    responses = [await client.get(LIMITED) for _ in range(LIMIT + 1)]
    assert {response.status_code for response in responses} == {200}
    assert "ratelimit" not in responses[0].headers


def test_replicas_share_the_limit(environment: dict[str, str]) -> None:
    with Service(environment) as one, Service(environment | free_ports()) as other:
        statuses = [service.get(LIMITED).status_code for service in (one, other) * 4]
    assert statuses == [200] * LIMIT + [429] * 5


def test_each_client_has_a_separate_limit(service: Service) -> None:
    # `FORWARDED_ALLOW_IPS` trusts 127.0.0.1 by default.
    one_network = [f"2001:db8::{number}" for number in range(LIMIT + 1)]
    for addresses in (["192.0.2.1"] * (LIMIT + 1), one_network):
        statuses = [
            fetch(service.url + LIMITED, headers={"X-Forwarded-For": address}).status_code
            for address in addresses
        ]
        assert statuses == [200] * LIMIT + [429]


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_ipv6_client_is_a_network(host: str, key: str) -> None:
    assert client_key(host) == key


def test_a_rejection_is_logged_and_counted(service: Service) -> None:
    for _ in range(LIMIT + 1):
        service.get(LIMITED)
    assert service.wait_for("request", status=429)["path"] == LIMITED
    metrics = fetch(service.metrics_url).text
    assert 'rate_limit_decisions_total{decision="allowed"} 3.0' in metrics
    assert 'rate_limit_decisions_total{decision="rejected"} 1.0' in metrics
