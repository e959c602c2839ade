"""Gives every order that may be placed a key of its own: a used one is rightly refused."""

# It is installed for experiments alone.
# mypy: disable-error-code="import-not-found"

import re
from itertools import count
from typing import Any

import schemathesis

HEADER = "idempotency-key"
_valid = re.compile(r"[\x21-\x7e]{1,255}").fullmatch
_numbers = count()


def before_call(_: schemathesis.HookContext, case: Any, __: dict[str, Any]) -> None:
    """Leave alone what is no key."""
    if isinstance(given := case.headers.get(HEADER), str) and _valid(given):
        case.headers[HEADER] = f"key-{next(_numbers)}"


schemathesis.hook(before_call)
