"""The cache before an order store: fewer reads, never a stale order."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import httpx
import pytest
from redis import Redis

from {{ cookiecutter.package_name }}.chassis.redis import client as adapter
from {{ cookiecutter.package_name }}.chassis.redis.client import open_redis
from {{ cookiecutter.package_name }}.orders.cache import LEASE_SECONDS, CachedOrderStore
from {{ cookiecutter.package_name }}.orders.model import Order, place
from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import Proxy, Service, fetch
from .test_store import MemoryOrderStore, an_order


class WatchedOrderStore(MemoryOrderStore):
    """A store that counts reads, and can block one after it has read."""

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
        return await self.add(replace(order, item="coffee"), None)


@pytest.fixture
def store() -> WatchedOrderStore:
    return WatchedOrderStore()


@pytest.fixture
async def cached(store: WatchedOrderStore, settings: Settings) -> AsyncIterator[CachedOrderStore]:
    async with open_redis(settings, "test") as redis:
        yield CachedOrderStore(store, redis, settings)


def entry(redis: Redis) -> bytes:
    """Return the key of the only entry."""
    (key,) = redis.keys("*:order:*")
    assert isinstance(key, bytes)
    return key


async def test_an_order_is_read_from_the_store_once(
    cached: CachedOrderStore, store: WatchedOrderStore
) -> None:
    order = await place(cached, an_order(item="Grüner Tee ☕"))
    assert [await cached.get(order.id) for _ in range(5)] == [order] * 5
    assert store.reads == 1


async def test_a_missing_order_is_not_cached(
    cached: CachedOrderStore, store: WatchedOrderStore
) -> None:
    order = await place(MemoryOrderStore(), an_order())
    assert await cached.get(order.id) is None
    await store.add(order, None)
    assert await cached.get(order.id) == order


async def test_entries_and_leases_expire(
    cached: CachedOrderStore, settings: Settings, attached_redis: Redis
) -> None:
    order = await place(cached, an_order())
    await cached.get(order.id)
    assert LEASE_SECONDS < attached_redis.ttl(entry(attached_redis)) <= settings.order_cache_seconds
    attached_redis.flushdb()
    await cached.get(uuid4())
    assert 0 < attached_redis.ttl(entry(attached_redis)) <= LEASE_SECONDS


async def test_a_changed_order_is_read_again(
    cached: CachedOrderStore, store: WatchedOrderStore
) -> None:
    order = await place(cached, an_order())
    await cached.get(order.id)
    changed = await store.change(order)
    await cached.invalidate(order.id)
    assert await cached.get(order.id) == changed


@pytest.mark.parametrize("value", [b"", b"nonsense", b"\xff", b'00000000 {"id": 1}'])
async def test_an_invalid_entry_is_replaced(
    cached: CachedOrderStore, store: WatchedOrderStore, attached_redis: Redis, value: bytes
) -> None:
    order = await place(cached, an_order())
    await cached.get(order.id)
    attached_redis.set(entry(attached_redis), value)
    assert [await cached.get(order.id) for _ in range(3)] == [order] * 3
    assert store.reads == 2


async def test_an_entry_with_another_schema_is_replaced(
    cached: CachedOrderStore, attached_redis: Redis
) -> None:
    order = await place(cached, an_order())
    await cached.get(order.id)
    key = entry(attached_redis)
    stored = attached_redis.get(key)
    assert isinstance(stored, bytes)
    attached_redis.set(key, b"00000000" + stored[8:].replace(b"tea", b"cup"))
    assert await cached.get(order.id) == order


@pytest.mark.parametrize("others_read", [False, True])
async def test_a_read_that_began_before_a_change_is_not_cached(
    cached: CachedOrderStore, store: WatchedOrderStore, *, others_read: bool
) -> None:
    order = await place(cached, an_order())
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


async def test_a_read_that_began_before_a_deletion_is_not_cached(
    cached: CachedOrderStore, store: WatchedOrderStore
) -> None:
    order = await place(cached, an_order())
    store.may_go_on.clear()
    late = asyncio.create_task(cached.get(order.id))
    await store.has_read.wait()
    await cached.delete(order.id)
    store.may_go_on.set()
    assert await late == order
    assert await cached.get(order.id) is None


async def test_a_deletion_invalidates_the_entry_right_after_an_outage(
    redis_proxy: Proxy,
    settings: Settings,
    store: WatchedOrderStore,
    attached_redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "PAUSE_SECONDS", 3600)
    async with open_redis(settings, "test") as redis:
        cached = CachedOrderStore(store, redis, settings)
        order = await place(cached, an_order())
        await cached.get(order.id)
        redis_proxy.cut()
        assert await cached.get(order.id) == order
        redis_proxy.open()
        await cached.delete(order.id)
        assert attached_redis.keys("*:order:*") == []


async def assert_orders_are_served(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        placed = await client.post("/orders", json=EXAMPLE)
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
    location = fetch(f"{service.url}/orders", "POST", json=EXAMPLE).headers["location"]
    for _ in range(3):
        service.get(location)
    metrics = fetch(service.metrics_url).text
    assert 'order_cache_lookups_total{result="miss"} 1.0' in metrics
    assert 'order_cache_lookups_total{result="hit"} 2.0' in metrics
