"""Orders in memory: a store for tests that need no other, kept honest by the tests of stores."""

from datetime import datetime
from uuid import UUID

from {{ cookiecutter.package_name }}.orders.model import Order, Position


class MemoryOrderStore:
    """`OrderStore` in a dictionary."""

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
