"""Orders: entities, rules and the store they need; imports only the standard library."""

import dataclasses
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID, uuid4


class Status(StrEnum):
    """Progress of an order."""

    PLACED = "placed"
    {% if cookiecutter.worker %}
    FULFILLED = "fulfilled"
    {% endif %}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of one item."""

    id: UUID
    item: str
    quantity: int
    status: Status
    placed_at: datetime


class Position(NamedTuple):
    """Position of an order in the list of all orders, newest first."""

    placed_at: datetime
    id: UUID


class OrderStore(Protocol):
    """Stores orders; methods raise `Unavailable` in bounded time if the database is unavailable."""

    async def add(self, order: Order, key: str | None) -> Order:
        """Store `order`, or return the first order with the same idempotency key `key`."""

    async def get(self, order_id: UUID) -> Order | None:
        """Return one order, or None if it does not exist."""

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        """Return at most `limit` orders, newest first, that follow `after`."""

    async def delete(self, order_id: UUID) -> bool:
        """Delete one order; return whether it existed."""

    async def delete_before(self, moment: datetime) -> int:
        """Delete the orders placed before `moment`; return their number."""
    {% if cookiecutter.worker %}

    async def replace(self, old: Order, new: Order) -> bool:
        """Set the status of `new` if it is still that of `old`; return whether it was set."""
    {% endif %}


class KeyReused(Exception):
    """The idempotency key belongs to a different order."""


def new_order(item: str, quantity: int) -> Order:
    """Return an order that is placed now."""
    return Order(
        id=uuid4(),
        item=item,
        quantity=quantity,
        status=Status.PLACED,
        placed_at=datetime.now(UTC),
    )


async def place(orders: OrderStore, order: Order, key: str | None = None) -> Order:
    """Place a new order, once per idempotency `key`; raise `KeyReused` for a different order."""
    stored = await orders.add(order, key)
    # A repeated request gets the same response as the first one.
    first = dataclasses.replace(order, id=stored.id, placed_at=stored.placed_at)
    if dataclasses.replace(stored, status=Status.PLACED) != first:
        raise KeyReused
    return first
{% if cookiecutter.worker %}


async def fulfil(orders: OrderStore, order_id: UUID) -> bool:
    """Fulfil an order once; return False if it is fulfilled already or does not exist."""
    order = await orders.get(order_id)
    if order is None or order.status != Status.PLACED:
        return False
    return await orders.replace(order, dataclasses.replace(order, status=Status.FULFILLED))
{% endif %}
