"""Orders from events: what is appended, and what follows from it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from {{ cookiecutter.package_name }}.chassis.events.projections import rebuild
from {{ cookiecutter.package_name }}.orders.event_store import OrderList
from {{ cookiecutter.package_name }}.orders.events import id_of
from {{ cookiecutter.package_name }}.orders.model import Status, fulfil
from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE
from {{ cookiecutter.package_name }}.resources import Resources, open_resources
from {{ cookiecutter.package_name }}.settings import Settings

from .test_store import an_order


@pytest.fixture
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(settings, "test") as resources:
        yield resources


def events(database: psycopg.Connection) -> list[dict[str, Any]]:
    cursor = database.cursor(row_factory=dict_row)
    return cursor.execute("SELECT * FROM events ORDER BY position").fetchall()


async def test_an_order_is_placed_fulfilled_and_deleted_by_events(
    client: httpx.AsyncClient, database: psycopg.Connection, resources: Resources
) -> None:
    headers = {"X-Request-ID": "abc-1"}
    placed = await client.post("/orders", json=EXAMPLE, headers=headers)
    order_id = UUID(placed.json()["id"])
    assert await fulfil(resources.orders, order_id)
    assert (await client.get(f"/orders/{order_id}")).json()["status"] == "fulfilled"
    assert (await client.delete(f"/orders/{order_id}")).status_code == 204
    found = events(database)
    assert [each["type"] for each in found] == ["OrderPlaced", "OrderFulfilled", "OrderDeleted"]
    assert [each["version"] for each in found] == [1, 2, 3]
    assert {id_of(each["stream"]) for each in found} == {order_id}
    assert found[0]["data"] | EXAMPLE == found[0]["data"]
    assert found[0]["metadata"]["request_id"] == "abc-1"


async def test_of_concurrent_changes_only_the_first_is_made(resources: Resources) -> None:
    order = await resources.orders.add(an_order(), None)
    done = replace(order, status=Status.FULFILLED)
    made = await asyncio.gather(*(resources.orders.replace(order, done) for _ in range(10)))
    assert sorted(made) == [False] * 9 + [True]


async def test_a_rebuilt_list_is_equal(resources: Resources) -> None:
    store = resources.orders
    orders = [await store.add(an_order(item=f"tea {n}"), None) for n in range(120)]
    for order in orders[::2]:
        assert await fulfil(store, order.id)
    for order in orders[::3]:
        assert await store.delete(order.id)
    before = await store.page(200, None)
    assert len(before) == 80
    assert await rebuild(resources.database.pool, OrderList()) == 120 + 60 + 40
    assert await store.page(200, None) == before
