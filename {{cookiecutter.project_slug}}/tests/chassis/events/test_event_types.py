"""Types of events: names, versions, data that do not fit."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from {{ cookiecutter.package_name }}.chassis.events.types import (
    EventTypes,
    InvalidEvent,
    UnknownEvent,
)


@dataclass(frozen=True)
class Paid:
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Sent:
    pass


def with_currency(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"currency": "EUR"}


def with_amount(data: dict[str, Any]) -> dict[str, Any]:
    return {"amount": data["cents"] / 100, "currency": data["currency"]}


TYPES = EventTypes(Paid, upcasts={Paid: [with_currency, with_amount]})


def test_an_event_is_encoded_as_the_newest_version() -> None:
    event = Paid(Decimal("1.50"), "USD")
    encoded = TYPES.encode(event)
    assert encoded == ("Paid", 3, {"amount": "1.50", "currency": "USD"})
    assert TYPES.decode(*encoded) == event


@pytest.mark.parametrize(
    ("version", "data", "currency"),
    [(1, {"cents": 150}, "EUR"), (2, {"cents": 150, "currency": "USD"}, "USD")],
)
def test_an_old_version_is_decoded_as_the_newest(
    version: int, data: dict[str, Any], currency: str
) -> None:
    assert TYPES.decode("Paid", version, data) == Paid(Decimal("1.5"), currency)


def test_an_unknown_type_or_version_is_named() -> None:
    with pytest.raises(UnknownEvent, match=r"^Sent$"):
        TYPES.encode(Sent())
    with pytest.raises(UnknownEvent, match=r"^Sent$"):
        TYPES.decode("Sent", 1, {})
    for version in (0, 4):
        with pytest.raises(UnknownEvent, match=f"^Paid, version {version}$"):
            TYPES.decode("Paid", version, {})


def test_data_that_do_not_fit_are_named() -> None:
    with pytest.raises(InvalidEvent, match=r"^Paid: .*`\$\.currency`$"):
        TYPES.encode(Paid(Decimal(1), 2))  # type: ignore[arg-type]
    with pytest.raises(InvalidEvent, match=r"^Paid: .*`amount`$"):
        TYPES.decode("Paid", 3, {})
