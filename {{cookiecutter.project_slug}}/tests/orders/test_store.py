"""The contract of `OrderStore`, for the database and the in-memory store; the cleanup."""

import asyncio
import json
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis import migrate
from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.orders import cleanup
from {{ cookiecutter.package_name }}.orders.model import (
    KeyReused,
    Order,
    OrderStore,
    Position,
    Status,
    place,
)
from {{ cookiecutter.package_name }}.resources import open_resources
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import Proxy, run

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class MemoryOrderStore:
    """`OrderStore` in a dictionary, for tests that need no database."""

    def __init__(self) -> None:
        self._orders: dict[UUID, Order] = {}
        self._keys: dict[str, UUID] = {}

    async def add(self, order: Order, key: str | None) -> Order:
        if key is not None:
            order = self._orders.get(self._keys.setdefault(key, order.id), order)
        self._orders[order.id] = order
        return order

    async def get(self, order_id: UUID) -> Order | None:
        return self._orders.get(order_id)

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        newest_first = sorted(self._orders.values(), key=_position, reverse=True)
        return [order for order in newest_first if not after or _position(order) < after][:limit]

    async def delete(self, order_id: UUID) -> bool:
        self._keys = {key: found for key, found in self._keys.items() if found != order_id}
        return self._orders.pop(order_id, None) is not None

    async def delete_before(self, moment: datetime) -> int:
        old = [order.id for order in self._orders.values() if order.placed_at < moment]
        return sum([await self.delete(order_id) for order_id in old])
    {% if cookiecutter.worker %}

    async def replace(self, old: Order, new: Order) -> bool:
        unchanged = self._orders.get(old.id) == old
        if unchanged:
            self._orders[old.id] = new
        return unchanged
    {% endif %}


def _position(order: Order) -> Position:
    return Position(order.placed_at, order.id)


def an_order(placed_at: datetime = NOON, item: str = "tea") -> Order:
    return Order(id=uuid4(), item=item, quantity=1, status=Status.PLACED, placed_at=placed_at)


@pytest.fixture(params=["memory", "real"])
async def store(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[OrderStore]:
    if request.param == "memory":
        yield MemoryOrderStore()
    else:
        async with open_resources(settings, "test") as resources:
            yield resources.orders


async def test_an_added_order_is_found(store: OrderStore) -> None:
    order = await store.add(an_order(item="Grüner Tee ☕"), None)
    assert await store.get(order.id) == order
    assert await store.get(uuid4()) is None


async def test_concurrent_uses_of_a_key_add_one_order(store: OrderStore) -> None:
    stored = await asyncio.gather(*(store.add(an_order(), "key") for _ in range(20)))
    assert stored == [stored[0]] * 20
    assert await store.add(an_order(item="coffee"), "key") == stored[0]
    assert await store.page(50, None) == [stored[0]]


async def test_pages_are_newest_first_and_complete(store: OrderStore) -> None:
    same_moment = [an_order() for _ in range(4)]
    others = [an_order(NOON + timedelta(microseconds=n)) for n in (-2, -1, 1, 2)]
    for order in same_moment + others:
        await store.add(order, None)
    seen: list[Order] = []
    while page := await store.page(3, _position(seen[-1]) if seen else None):
        seen += page
    assert seen == sorted(same_moment + others, key=_position, reverse=True)


async def test_deleting_an_order_frees_its_key(store: OrderStore) -> None:
    order, other = await store.add(an_order(), "key"), await store.add(an_order(), "other")
    assert await store.delete(order.id)
    assert not await store.delete(order.id)
    assert await store.page(10, None) == [other]
    again = an_order()
    assert await store.add(again, "key") == again


async def test_deleting_old_orders_frees_their_keys(store: OrderStore) -> None:
    old = await store.add(an_order(NOON - timedelta(seconds=1)), "old")
    new = await store.add(an_order(NOON), "new")
    assert await store.delete_before(NOON) == 1
    assert await store.get(old.id) is None
    assert await store.get(new.id) == new
    assert await store.delete_before(NOON) == 0
    again = an_order()
    assert await store.add(again, "old") == again


async def test_more_old_orders_than_one_batch_are_deleted(store: OrderStore) -> None:
    for _ in range(2001):
        await store.add(an_order(NOON - timedelta(days=1)), None)
    assert await store.delete_before(NOON) == 2001
    assert await store.page(1, None) == []


async def test_concurrent_cleanups_delete_each_order_once(settings: Settings) -> None:
    async with open_resources(settings, "test") as one, open_resources(settings, "test") as other:
        for _ in range(50):
            await one.orders.add(an_order(), None)
        later = NOON + timedelta(days=1)
        deleted = [one.orders.delete_before(later), other.orders.delete_before(later)]
        assert sum(await asyncio.gather(*deleted)) == 50


def test_cleanup_deletes_old_orders_and_logs_their_number(settings: Settings) -> None:
    async def add(*orders: Order) -> None:
        async with open_resources(settings, "test") as resources:
            for order in orders:
                await resources.orders.add(order, None)

    now = datetime.now(UTC)
    asyncio.run(add(an_order(now - timedelta(days=8)), an_order(now - timedelta(days=6))))
    with capture_logs() as lines:
        for _ in range(2):
            assert cleanup.run(SERVICE, settings, Namespace(older_than_days=7)) == 0
    assert [line["deleted"] for line in lines] == [1, 0]


def test_the_command_succeeds_without_old_orders(environment: dict[str, str]) -> None:
    done = run(environment, "cleanup", "--older-than-days", "1")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["event"] == "old orders deleted"


def test_cleanup_connects_again_if_the_first_attempt_fails(
    database_proxy: Proxy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_old = cleanup.delete_old

    async def open_after_failure(*arguments: Any, **options: Any) -> None:
        try:
            await delete_old(*arguments, **options)
        except Unavailable:
            database_proxy.open()
            raise

    monkeypatch.setattr(cleanup, "delete_old", open_after_failure)
    database_proxy.cut()
    assert cleanup.run(SERVICE, settings, Namespace(older_than_days=7)) == 0


def test_commands_exit_with_status_69_in_an_outage(
    database_proxy: Proxy, settings: Settings
) -> None:
    database_proxy.cut()
    with capture_logs() as lines:
        assert cleanup.run(SERVICE, settings, Namespace(older_than_days=7)) == 69
        assert migrate.run(SERVICE, settings, Namespace()) == 69
    # The pool may log a failed attempt as well, at most once in ten seconds.
    events = [line["event"] for line in lines if "logger" not in line]
    assert events == ["cleanup failed", "migration failed"]


@pytest.mark.parametrize("days", ["0", "-1", "x", "1e9", "²"])
def test_an_invalid_number_of_days_is_a_usage_error(
    days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ArgumentParser()
    cleanup.add_options(options)
    with pytest.raises(SystemExit, match="2"):
        options.parse_args(["--older-than-days", days])
    assert "a number of days" in capsys.readouterr().err


async def test_a_key_cannot_be_reused_for_another_order() -> None:
    orders = MemoryOrderStore()
    first = await place(orders, an_order(), "key")
    assert await place(orders, an_order(NOON + timedelta(days=1)), "key") == first
    with pytest.raises(KeyReused):
        await place(orders, an_order(item="coffee"), "key")
