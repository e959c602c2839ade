"""What every store of orders keeps to: the one in memory and that of a process alike."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from {{ cookiecutter.package_name }}.orders.model import Order, OrderStore, Position, Status
from {{ cookiecutter.package_name }}.resources import open_resources
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.memory import MemoryOrderStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def an_order(placed_at: datetime = NOON, item: str = "tea", order_id: UUID | None = None) -> Order:
    return Order(
        id=order_id or uuid4(),
        item=item,
        quantity=1,
        status=Status.PLACED,
        placed_at=placed_at,
    )


@pytest.fixture(params=["memory", "real"])
async def store(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[OrderStore]:
    if request.param == "memory":
        yield MemoryOrderStore()
    else:
        async with open_resources(settings, "test") as resources:
            yield resources.orders


async def test_an_order_is_found_as_it_was_added(store: OrderStore) -> None:
    order = await store.add(an_order(item="Grüner Tee ☕"), None)
    assert await store.get(order.id) == order


async def test_an_unknown_order_is_none(store: OrderStore) -> None:
    assert await store.get(uuid4()) is None


async def test_a_key_that_was_used_returns_the_first_order(store: OrderStore) -> None:
    first = await store.add(an_order(), "key")
    assert await store.add(an_order(item="coffee"), "key") == first
    assert await store.page(10, None) == [first]


async def test_a_key_used_many_times_at_once_makes_one_order(store: OrderStore) -> None:
    stored = await asyncio.gather(*(store.add(an_order(), "key") for _ in range(20)))
    assert len({order.id for order in stored}) == 1
    assert len(await store.page(50, None)) == 1


async def test_orders_without_a_key_are_never_the_same(store: OrderStore) -> None:
    for _ in range(3):
        await store.add(an_order(), None)
    assert len(await store.page(10, None)) == 3


async def test_pages_are_newest_first_and_neither_repeat_nor_skip(store: OrderStore) -> None:
    same_moment = [an_order() for _ in range(4)]
    others = [an_order(NOON + timedelta(microseconds=n)) for n in (-2, -1, 1, 2)]
    for order in same_moment + others:
        await store.add(order, None)

    seen: list[Order] = []
    while page := await store.page(3, Position(seen[-1].placed_at, seen[-1].id) if seen else None):
        seen += page

    expected = sorted(same_moment + others, key=lambda o: (o.placed_at, o.id), reverse=True)
    assert seen == expected


async def test_a_deleted_order_is_gone_and_its_key_is_free(store: OrderStore) -> None:
    order, other = await store.add(an_order(), "key"), await store.add(an_order(), "other")
    assert await store.delete(order.id)
    assert not await store.delete(order.id)
    assert await store.page(10, None) == [other]
    again = an_order()
    assert await store.add(again, "key") == again


async def test_only_what_is_older_is_deleted(store: OrderStore) -> None:
    old = await store.add(an_order(NOON - timedelta(seconds=1)), "old")
    new = await store.add(an_order(NOON), "new")
    assert await store.delete_before(NOON) == 1
    assert await store.get(old.id) is None
    assert await store.get(new.id) == new
    assert await store.delete_before(NOON) == 0


async def test_however_many_are_old_all_are_deleted(store: OrderStore) -> None:
    for _ in range(2001):
        await store.add(an_order(NOON - timedelta(days=1)), None)
    assert await store.delete_before(NOON) == 2001
    assert await store.page(1, None) == []


async def test_a_key_is_free_again_when_its_order_is_deleted(store: OrderStore) -> None:
    await store.add(an_order(NOON - timedelta(days=1)), "key")
    await store.delete_before(NOON)
    again = an_order(NOON)
    assert await store.add(again, "key") == again
