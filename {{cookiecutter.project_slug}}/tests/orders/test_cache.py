"""The cache in front of a store saves reads and never returns a stale order."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic
from uuid import UUID, uuid4

import httpx
import pytest
from redis import Redis

from {{ cookiecutter.package_name }}.chassis.redis import client as adapter
from {{ cookiecutter.package_name }}.chassis.redis.client import open_redis
from {{ cookiecutter.package_name }}.orders.cache import LEASE_SECONDS, CachedOrderStore
from {{ cookiecutter.package_name }}.orders.model import Order, place
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import NO_TLS, TIMEOUT, Proxy, Service, fetch, free_ports
from .test_store import MemoryOrderStore

TEA = {"item": "tea", "quantity": 1}


class WatchedOrders(MemoryOrderStore):
    """A store that counts its readers, and can hold one back after it has read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.has_read = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def get(self, order_id: UUID) -> Order | None:
        self.reads += 1
        order = await super().get(order_id)
        self.has_read.set()
        await self.may_go_on.wait()
        return order

    async def change(self, order: Order) -> Order:
        return await self.add(replace(order, quantity=order.quantity + 1), None)


@pytest.fixture
def store() -> WatchedOrders:
    return WatchedOrders()


@pytest.fixture
async def cached(store: WatchedOrders, settings: Settings) -> AsyncIterator[CachedOrderStore]:
    async with open_redis(settings, "test") as redis:
        yield CachedOrderStore(
            store, redis, prefix="test:order:", seconds=settings.order_cache_seconds
        )


def entry(redis: Redis) -> bytes:
    """Return the key of the only entry."""
    (key,) = redis.keys("*:order:*")
    assert isinstance(key, bytes)
    return key


async def test_what_was_read_is_not_read_again(
    cached: CachedOrderStore, store: WatchedOrders
) -> None:
    order = await place(cached, "Grüner Tee ☕", 2)
    assert [await cached.get(order.id) for _ in range(5)] == [order] * 5
    assert store.reads == 1


async def test_what_is_not_there_is_asked_for_again(
    cached: CachedOrderStore, store: WatchedOrders
) -> None:
    order = await place(MemoryOrderStore(), "tea", 1)
    assert await cached.get(order.id) is None
    await store.add(order, None)
    assert await cached.get(order.id) == order


async def test_an_entry_ends_by_itself(
    cached: CachedOrderStore, settings: Settings, attached_redis: Redis
) -> None:
    order = await place(cached, "tea", 1)
    await cached.get(order.id)
    assert LEASE_SECONDS < attached_redis.ttl(entry(attached_redis)) <= settings.order_cache_seconds


async def test_a_lease_ends_by_itself(cached: CachedOrderStore, attached_redis: Redis) -> None:
    await cached.get(uuid4())
    assert 0 < attached_redis.ttl(entry(attached_redis)) <= LEASE_SECONDS


async def test_a_change_that_is_told_is_seen(
    cached: CachedOrderStore, store: WatchedOrders
) -> None:
    order = await place(cached, "tea", 1)
    await cached.get(order.id)
    changed = await store.change(order)
    await cached.invalidate(order.id)
    assert await cached.get(order.id) == changed


@pytest.mark.parametrize("nonsense", [b"", b"nonsense", b"\xff", b'00000000 {"id": 1}'])
async def test_an_entry_that_cannot_be_read_is_replaced(
    cached: CachedOrderStore, store: WatchedOrders, attached_redis: Redis, nonsense: bytes
) -> None:
    order = await place(cached, "tea", 1)
    await cached.get(order.id)
    attached_redis.set(entry(attached_redis), nonsense)
    assert [await cached.get(order.id) for _ in range(3)] == [order] * 3
    assert store.reads == 2


async def test_an_entry_of_another_shape_is_not_misread(
    cached: CachedOrderStore, attached_redis: Redis
) -> None:
    order = await place(cached, "tea", 1)
    await cached.get(order.id)
    key = entry(attached_redis)
    stored = attached_redis.get(key)
    assert isinstance(stored, bytes)
    attached_redis.set(key, b"00000000" + stored[8:].replace(b"tea", b"cup"))
    assert await cached.get(order.id) == order


@pytest.mark.parametrize("others_read", [False, True])
async def test_what_was_read_before_a_change_does_not_come_after_it(
    cached: CachedOrderStore, store: WatchedOrders, *, others_read: bool
) -> None:
    order = await place(cached, "tea", 1)
    store.may_go_on.clear()
    late = asyncio.create_task(cached.get(order.id))
    await store.has_read.wait()
    changed = await store.change(order)
    await cached.invalidate(order.id)
    if others_read:
        other = asyncio.create_task(cached.get(order.id))
        store.has_read.clear()
        await store.has_read.wait()
    store.may_go_on.set()
    assert await late == order
    assert await cached.get(order.id) == changed
    if others_read:
        assert await other == changed


async def test_a_deleted_order_does_not_come_back(
    cached: CachedOrderStore, store: WatchedOrders
) -> None:
    order = await place(cached, "tea", 1)
    store.may_go_on.clear()
    late = asyncio.create_task(cached.get(order.id))
    await store.has_read.wait()
    await cached.delete(order.id)
    store.may_go_on.set()
    assert await late == order
    assert await cached.get(order.id) is None


async def test_a_change_is_told_even_where_redis_failed_a_moment_ago(
    redis_proxy: Proxy,
    settings: Settings,
    store: WatchedOrders,
    attached_redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "PAUSE_SECONDS", 3600)
    async with open_redis(settings, "test") as redis:
        cached = CachedOrderStore(
            store, redis, prefix="test:order:", seconds=settings.order_cache_seconds
        )
        order = await place(cached, "tea", 1)
        await cached.get(order.id)
        redis_proxy.cut()
        assert await cached.get(order.id) == order
        redis_proxy.open()
        await cached.delete(order.id)
        assert attached_redis.keys("*:order:*") == []


class Reader(threading.Thread):
    """Reads one order again and again, until it is not found."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.responses: list[tuple[float, int]] = []

    def run(self) -> None:
        with httpx.Client(timeout=TIMEOUT, verify=NO_TLS) as client:
            while not self.responses or self.responses[-1][1] == 200:
                self.responses.append((monotonic(), client.get(self._url).status_code))


def test_what_one_replica_deletes_no_other_serves(environment: dict[str, str]) -> None:
    with Service(environment) as one, Service(environment | free_ports()) as other:
        for _ in range(4):
            location = fetch(f"{one.url}/orders", "POST", json=TEA).headers["location"]
            readers = [Reader(f"{service.url}{location}") for service in (one, other) * 3]
            for reader in readers:
                reader.start()
            while min(len(reader.responses) for reader in readers) < 5:
                assert all(reader.is_alive() for reader in readers)
            assert fetch(f"{one.url}{location}", "DELETE").status_code == 204
            deleted = monotonic()
            for reader in readers:
                reader.join()
                statuses = {status for asked, status in reader.responses if asked > deleted}
                assert statuses <= {404}
                assert {status for _, status in reader.responses} == {200, 404}
            assert other.get(location).status_code == 404


async def assert_orders_are_served(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        placed = await client.post("/orders", json=TEA)
        assert placed.status_code == 201
        location = placed.headers["location"]
        for _ in range(3):
            found = await client.get(location)
            assert (found.status_code, found.text) == (200, placed.text)
        assert (await client.delete(location)).status_code == 204
        assert (await client.get(location)).status_code == 404
        assert (await client.get("/orders")).json()["items"] == []


async def test_orders_are_served_in_an_outage_of_redis(
    redis_proxy: Proxy, client: httpx.AsyncClient
) -> None:
    await assert_orders_are_served(client)
    for change in (redis_proxy.freeze, redis_proxy.thaw, redis_proxy.cut, redis_proxy.open):
        change()
        await assert_orders_are_served(client)


def test_lookups_are_counted(service: Service) -> None:
    location = fetch(f"{service.url}/orders", "POST", json=TEA).headers["location"]
    for _ in range(3):
        service.get(location)
    metrics = fetch(service.metrics_url).text
    assert 'order_cache_lookups_total{result="miss"} 1.0' in metrics
    assert 'order_cache_lookups_total{result="hit"} 2.0' in metrics
