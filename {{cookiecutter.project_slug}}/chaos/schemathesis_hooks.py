"""Sends each request with a new idempotency key: a used key is correctly rejected."""

# Schemathesis is installed in the group `chaos` only.
# mypy: disable-error-code="import-not-found"

import re
from itertools import count
from typing import Any

import schemathesis

HEADER = "idempotency-key"
_is_valid = re.compile(r"[\x21-\x7e]{1,255}").fullmatch
_numbers = count()


def before_call(_: schemathesis.HookContext, case: Any, __: dict[str, Any]) -> None:
    """Replace a valid key; keep an invalid one."""
    if isinstance(key := case.headers.get(HEADER), str) and _is_valid(key):
        case.headers[HEADER] = f"key-{next(_numbers)}"


schemathesis.hook(before_call)
