"""Empties the table of events between tests, which nothing else can."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def disable_protection_of_events() -> None:
    from . import postgres_server  # noqa: PLC0415  # pytest must import it first.

    emptied = postgres_server.EMPTY_TABLES
    disable, enable = (f"ALTER TABLE events {verb} TRIGGER USER;" for verb in ("DISABLE", "ENABLE"))
    postgres_server.EMPTY_TABLES = f"{disable}{emptied};{enable}"
