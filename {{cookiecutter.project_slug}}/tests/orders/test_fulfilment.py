"""Fulfilment of orders, without a worker or a database."""

from dataclasses import replace
from uuid import uuid4

from {{ cookiecutter.package_name }}.orders.model import Status, fulfil, place

from .test_store import MemoryOrderStore, an_order


async def test_a_placed_order_is_fulfilled_once() -> None:
    orders = MemoryOrderStore()
    order = await place(orders, an_order())
    assert await fulfil(orders, order.id)
    assert await orders.get(order.id) == replace(order, status=Status.FULFILLED)
    assert not await fulfil(orders, order.id)


async def test_an_unknown_order_is_not_fulfilled() -> None:
    assert not await fulfil(MemoryOrderStore(), uuid4())


async def test_a_retried_request_gets_the_first_response_after_fulfilment() -> None:
    orders = MemoryOrderStore()
    first = await place(orders, an_order(), "key")
    assert await fulfil(orders, first.id)
    assert await place(orders, an_order(), "key") == first
