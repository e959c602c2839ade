"""What the store in MongoDB does beside what every store of orders does."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.mongodb.client import open_database
from {{ cookiecutter.package_name }}.orders.model import Order, Status
from {{ cookiecutter.package_name }}.orders.mongodb import MongoOrderStore
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.proxy import Proxy

ORDER = Order(
    id=UUID(int=1),
    item="tea",
    quantity=1,
    status=Status.PLACED,
    placed_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
)


async def test_an_order_that_is_sent_again_is_stored_once(settings: Settings) -> None:
    async with open_database(settings, "test") as database:
        orders = MongoOrderStore(database)
        for key in (None, None, "key"):
            assert await orders.add(ORDER, key) == ORDER
        assert await orders.page(10, None) == [ORDER]


async def test_a_server_that_freezes_is_given_up_before_its_watcher_notices(
    database_proxy: Proxy, settings: Settings
) -> None:
    async with open_database(settings, "test") as database:
        orders = MongoOrderStore(database)
        await orders.add(ORDER, None)
        database_proxy.freeze()
        for question in (orders.get(ORDER.id), orders.ping()):
            with pytest.raises(Unavailable) as caught:
                await question
            assert caught.value.failure == "TimeoutError"
