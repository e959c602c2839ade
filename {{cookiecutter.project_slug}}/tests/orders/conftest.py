"""Applies all events before a test lists orders: without a worker, nothing else does."""

from datetime import datetime

import pytest

from {{ cookiecutter.package_name }}.chassis.events.projections import catch_up
from {{ cookiecutter.package_name }}.orders.event_store import EventOrderStore, OrderList
from {{ cookiecutter.package_name }}.orders.model import Order, Position


@pytest.fixture(autouse=True)
def projected_list(monkeypatch: pytest.MonkeyPatch) -> None:
    page, delete_before = EventOrderStore.page, EventOrderStore.delete_before

    async def catch_up_and_page(
        self: EventOrderStore, limit: int, after: Position | None
    ) -> list[Order]:
        await apply_events(self)
        return await page(self, limit, after)

    async def catch_up_and_delete(self: EventOrderStore, moment: datetime) -> int:
        await apply_events(self)
        return await delete_before(self, moment)

    monkeypatch.setattr(EventOrderStore, "page", catch_up_and_page)
    monkeypatch.setattr(EventOrderStore, "delete_before", catch_up_and_delete)


async def apply_events(store: EventOrderStore) -> None:
    while await catch_up(store._pool, OrderList()):  # noqa: SLF001
        pass
