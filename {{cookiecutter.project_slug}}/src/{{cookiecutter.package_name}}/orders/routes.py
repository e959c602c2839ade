"""HTTP routes of orders."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from starlette.exceptions import HTTPException
from starlette.status import HTTP_422_UNPROCESSABLE_CONTENT

from ..chassis.http.json_body import JsonRoute
from ..chassis.http.problems import problem
from . import model
from .model import Order, OrderStore, Position

router = APIRouter(prefix="/orders", tags=["orders"], route_class=JsonRoute)

EXAMPLE: dict[str, JsonValue] = {"item": "tea", "quantity": 2}
LOCATION = {
    "Location": {
        "description": "Path of the order.",
        "schema": {"type": "string", "format": "uri-reference"},
        "required": True,
    }
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _store(request: Request) -> OrderStore:
    """Return the store that `main.py` opened; a direct call is faster than a dependency."""
    orders: OrderStore = request.app.state.resources.orders
    return orders


def _whole(value: object) -> object:
    """Convert 2.0 to 2, the same number in JSON; return other values unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class NewOrder(BaseModel):
    """Body of `POST /orders`."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [EXAMPLE]})

    item: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    quantity: Annotated[int, BeforeValidator(_whole)] = Field(ge=1, le=1_000_000)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of orders, newest first; `next` is the `after` of the next page, or null."""

    items: list[Order]
    next: str | None


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=Order,
    responses={HTTPStatus.CREATED: {"headers": LOCATION}},
)
async def place_order(
    request: Request,
    new: NewOrder,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")
    ] = None,
) -> Response:
    """Place an order; repeating the request with the same `Idempotency-Key` is safe."""
    try:
        order = model.new_order(new.item, new.quantity)
        order = await model.place(_store(request), order, idempotency_key)
    except model.KeyReused:
        return problem(
            request,
            HTTP_422_UNPROCESSABLE_CONTENT,
            "This Idempotency-Key was used for another order.",
            type_uri="urn:problem-type:idempotency-key-reused",
        )
    location = f"{request.scope['root_path']}/orders/{order.id}"
    return _json(order, HTTPStatus.CREATED, {"Location": location})


@router.get("/{order_id}", response_model=Order)
async def get_order(request: Request, order_id: UUID) -> Response:
    """Return one order."""
    order = await _store(request).get(order_id)
    if order is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _json(order)


@router.delete("/{order_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_order(request: Request, order_id: UUID) -> None:
    """Delete one order in any status."""
    if not await _store(request).delete(order_id):
        raise HTTPException(HTTPStatus.NOT_FOUND)


@router.get("", response_model=Page)
async def list_orders(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(pattern="^[0-9a-f]{46}$")] = None,
) -> Response:
    """List orders, newest first; `after` is the `next` of the previous page."""
    position = None if after is None else _position(after)
    found = await _store(request).page(limit + 1, position)
    items, more = found[:limit], len(found) > limit
    last = Position(items[-1].placed_at, items[-1].id) if more else None
    return _json(Page(items, last and _cursor(last)))


def _json(
    content: Order | Page, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def _cursor(position: Position) -> str:
    """Return microseconds as 14 hex digits and the id as 32: every such text is valid."""
    microseconds = (position.placed_at - EPOCH) // timedelta(microseconds=1)
    return f"{microseconds:014x}{position.id.hex}"


def _position(cursor: str) -> Position:
    placed_at = EPOCH + timedelta(microseconds=int(cursor[:14], 16))
    return Position(placed_at, UUID(hex=cursor[14:]))
