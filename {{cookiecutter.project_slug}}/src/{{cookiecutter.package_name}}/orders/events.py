"""Events of orders: what happened to each, and the state that follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ..chassis.events.types import EventTypes
from .model import Order, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced:
    """A client placed the order."""

    item: str
    quantity: int
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class OrderFulfilled:
    """The worker fulfilled the order."""


@dataclass(frozen=True, slots=True)
class OrderDeleted:
    """A client or the cleanup deleted the order."""


TYPES = EventTypes(OrderPlaced, OrderFulfilled, OrderDeleted)


def stream_of(order_id: UUID) -> str:
    """Return the name of the stream of an order."""
    return f"order-{order_id}"


def id_of(stream: str) -> UUID:
    """Return the id of the order of a stream."""
    return UUID(stream.removeprefix("order-"))


def state_after(order_id: UUID, events: Iterable[object]) -> Order | None:
    """Return the order that follows from its events; None without any, or if it was deleted."""
    order: Order | None = None
    for event in events:
        match event:
            case OrderPlaced(item=item, quantity=quantity, placed_at=placed_at):
                order = Order(
                    id=order_id,
                    item=item,
                    quantity=quantity,
                    status=Status.PLACED,
                    placed_at=placed_at,
                )
            case OrderFulfilled() if order:
                order = replace(order, status=Status.FULFILLED)
            case OrderDeleted():
                order = None
    return order
