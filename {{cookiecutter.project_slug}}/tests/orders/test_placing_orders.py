"""The use case, without HTTP and without a database."""

import pytest

from {{ cookiecutter.package_name }}.orders.model import KeyReused, Status, place

from ..support.memory import MemoryOrderStore


async def test_a_placed_order_is_stored() -> None:
    orders = MemoryOrderStore()
    order = await place(orders, "tea", 2)
    assert (order.item, order.quantity, order.status) == ("tea", 2, Status.PLACED)
    assert await orders.get(order.id) == order


async def test_placing_again_with_the_same_key_returns_the_first_order() -> None:
    orders = MemoryOrderStore()
    first = await place(orders, "tea", 2, "key")
    assert await place(orders, "tea", 2, "key") == first
    assert await orders.page(10, None) == [first]


async def test_a_key_does_not_serve_for_another_order() -> None:
    orders = MemoryOrderStore()
    await place(orders, "tea", 2, "key")
    with pytest.raises(KeyReused):
        await place(orders, "tea", 3, "key")
