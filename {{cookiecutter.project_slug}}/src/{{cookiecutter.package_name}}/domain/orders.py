"""Orders: what one is, what may be done with it, and what that needs of a store."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID, uuid4


class Status(StrEnum):
    """How far an order has come."""

    PLACED = "placed"
    FULFILLED = "fulfilled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """So many of one item, for somebody."""

    id: UUID
    item: str
    quantity: int
    status: Status
    placed_at: datetime


class Position(NamedTuple):
    """A place in the list of all orders, newest first: that of the order with this time and id."""

    placed_at: datetime
    id: UUID


class Orders(Protocol):
    """A store of orders; if it is not there, a method raises `Unavailable` in bounded time."""

    async def add(self, order: Order, key: str | None) -> Order:
        """Store `order`, or return the one that the idempotency key `key` was first used for."""

    async def get(self, order_id: UUID) -> Order | None:
        """Return one order, None if there is none."""

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        """Return at most `limit` orders, newest first, from the one that follows `after`."""

    async def delete(self, order_id: UUID) -> bool:
        """Delete one order; return whether there was one."""

    async def delete_before(self, moment: datetime) -> int:
        """Delete the orders placed before `moment`; return how many they were."""


class KeyReused(Exception):
    """An idempotency key came with another order than the first time."""


async def place(orders: Orders, item: str, quantity: int, key: str | None = None) -> Order:
    """Place an order, once per idempotency `key`; raise `KeyReused` if that had another order."""
    order = Order(
        id=uuid4(),
        item=item,
        quantity=quantity,
        status=Status.PLACED,
        placed_at=datetime.now(UTC),
    )
    stored = await orders.add(order, key)
    if (stored.item, stored.quantity) != (item, quantity):
        raise KeyReused
    # A repeated answer is the first one again, whatever has become of the order.
    return replace(stored, status=Status.PLACED)
