"""The events of all streams, in PostgreSQL: appended, never changed, in one order for everyone.

The table takes a lock before each insert, until the transaction ends (see its migration). So events
are committed in the order of their positions: after one, no event with a lower position appears.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from structlog.contextvars import get_contextvars

from ..postgres.connection import Connection
from .types import EventTypes

LONGEST_NAME = 200
"""Characters of the longest name of a stream."""
METADATA = ("request_id", "trace_id", "job_id")
"""Ids of the log records that are stored with an event."""
APPEND = """
INSERT INTO events (stream, version, type, type_version, data, metadata)
SELECT %(stream)s, %(expected)s + n, type, type_version, data, %(metadata)s
FROM unnest(%(types)s::text[], %(type_versions)s::int[], %(data)s::jsonb[])
    WITH ORDINALITY AS event (type, type_version, data, n)
WHERE %(expected)s = (SELECT coalesce(max(version), 0) FROM events WHERE stream = %(stream)s)
ORDER BY n
"""


class Conflict(Exception):
    """The stream does not have the expected version: others have appended to it, or none did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it is stored; `version` counts the events of its stream from 1."""

    position: int
    stream: str
    version: int
    type: str
    type_version: int
    data: dict[str, Any]
    metadata: dict[str, Any]
    appended_at: datetime


COLUMNS = ", ".join(field.name for field in fields(StoredEvent))
SELECT = f"SELECT {COLUMNS} FROM events WHERE stream = %s ORDER BY version"  # noqa: S608  # Only constants.


async def append(
    connection: Connection, types: EventTypes, stream: str, expected: int, events: Sequence[object]
) -> None:
    """Append to a stream that has `expected` events, in the transaction of `connection`.

    Raise `Conflict`, `UnknownEvent`, `InvalidEvent` or, for the name of the stream, `ValueError`.
    """
    if not 0 < len(stream) <= LONGEST_NAME:
        shown = stream if len(stream) <= LONGEST_NAME else f"{stream[:20]}…"
        raise ValueError(f"stream {shown!r}: a name has 1 to {LONGEST_NAME} characters")
    encoded = [types.encode(event) for event in events]
    context = get_contextvars()
    values = {
        "stream": stream,
        "expected": expected,
        "types": [name for name, _, _ in encoded],
        "type_versions": [version for _, version, _ in encoded],
        "data": [Jsonb(data) for _, _, data in encoded],
        "metadata": Jsonb({name: context[name] for name in METADATA if name in context}),
    }
    conflict = Conflict(f"stream {stream} does not have version {expected}")
    try:
        cursor = await connection.execute(APPEND, values)
    except UniqueViolation as error:
        raise conflict from error
    if cursor.rowcount != len(encoded):
        raise conflict


async def read(connection: Connection, types: EventTypes, stream: str) -> list[object]:
    """Return the events of a stream, the oldest first; raise `UnknownEvent` or `InvalidEvent`."""
    cursor = connection.cursor(row_factory=class_row(StoredEvent))
    await cursor.execute(SELECT, (stream,))
    return [types.decode(e.type, e.type_version, e.data) for e in await cursor.fetchall()]
