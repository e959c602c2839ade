"""JSON bodies: types of strict models."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

import httpx
from fastapi import FastAPI, Response
from pydantic import BaseModel

from {{ cookiecutter.package_name }}.chassis.http.json_body import JsonRoute


class Color(Enum):
    RED = "red"


class Event(BaseModel, strict=True):
    """A body with the types that JSON has not."""

    at: datetime
    day: date
    price: Decimal
    id: UUID
    unit: Literal["g"]
    color: Color
    count: int


async def test_a_strict_body_takes_the_types_that_json_has_not() -> None:
    app = FastAPI()
    app.router.route_class = JsonRoute

    @app.post("/events", response_model=None)
    async def add_event(event: Event) -> Response:
        return Response(event.model_dump_json(), media_type="application/json")

    transport = httpx.ASGITransport(app)
    event = {
        "at": "2030-01-02T03:04:05Z",
        "day": "2030-01-02",
        "price": "1.50",
        "id": "00000000-0000-4000-8000-000000000000",
        "unit": "g",
        "color": "red",
        "count": 1,
    }
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        valid = await client.post("/events", json=event)
        invalid = await client.post("/events", json=event | {"day": "x", "count": "1"})
    assert (valid.status_code, valid.json()) == (200, event)
    pointers = [error["loc"] for error in invalid.json()["detail"]]
    assert pointers == [["body", "day"], ["body", "count"]]
