"""Projections: tables that follow from events, kept up to date by the worker."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from psycopg.rows import class_row, scalar_row

from ..errors import Unavailable
from ..postgres.connection import Connection
from ..postgres.failures import OUTAGES, category
from ..postgres.pool import Pool
from .store import COLUMNS, StoredEvent
from .types import EventTypes

CHANNEL = "events"
"""PostgreSQL's channel of notifications about new events."""
NO_LIMITS = """
SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0
"""


class Projection(ABC):
    """Derives tables from events. Its effects and its position are committed together."""

    name: str
    types: EventTypes
    batch = 100
    """Events of one transaction."""

    @abstractmethod
    async def apply(self, connection: Connection, event: object, stored: StoredEvent) -> None:
        """Write what follows from one event."""

    @abstractmethod
    async def clear(self, connection: Connection) -> None:
        """Delete everything that was written; raise `ValueError` if that is impossible."""

    def decode(self, stored: StoredEvent) -> object:
        """Return the event that `apply` gets."""
        return self.types.decode(stored.type, stored.type_version, stored.data)

    async def apply_all(self, connection: Connection, events: Sequence[StoredEvent]) -> None:
        """Apply the events of a transaction; raise `Stopped` or `Unavailable`."""
        for stored in events:
            try:
                await self.apply(connection, self.decode(stored), stored)
            except (*OUTAGES, Unavailable):
                raise
            except Exception as error:
                raise Stopped(stored) from error


class Stopped(Exception):
    """A projection cannot apply an event; the cause is the reason."""

    def __init__(self, stored: StoredEvent) -> None:
        super().__init__(f"event {stored.position}, {stored.type} of {stored.stream}")
        self.stored = stored


async def catch_up(pool: Pool, projection: Projection, before: int | None = None) -> int:
    """Apply the next events, and return their number; raise `Stopped` or `Unavailable`.

    Return 0 if another process is applying the events of this projection.
    With `before`, apply only events before that position.
    """
    async with pool.connection() as connection, connection.transaction():
        position = await _lock(connection, projection, "FOR UPDATE SKIP LOCKED")
        if position is None:
            return 0
        return len(await _apply(connection, projection, position, before))


async def rebuild(pool: Pool, projection: Projection) -> int:
    """Delete and derive everything again, in one transaction; return the number of events.

    Until it is committed, readers see the previous state. Raise `Stopped`, `Unavailable`, or
    `ValueError` if what the projection wrote cannot be deleted.
    """
    try:
        async with await pool.connect() as connection, connection.transaction():
            await connection.execute(NO_LIMITS)
            await _lock(connection, projection, "FOR UPDATE")
            await projection.clear(connection)
            total = position = 0
            while events := await _apply(connection, projection, position):
                total, position = total + len(events), events[-1].position
    except OUTAGES as error:
        raise Unavailable("database", category(error)) from error
    return total


async def skip(pool: Pool, projection: Projection, position: int) -> bool:
    """Skip the next event, and return whether it has this position."""
    async with pool.connection() as connection, connection.transaction():
        done = await _lock(connection, projection, "FOR UPDATE") or 0
        events = await _next(connection, done, None, 1)
        if [event.position for event in events] != [position]:
            return False
        await _move(connection, projection, position)
        await connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    return True


async def _lock(connection: Connection, projection: Projection, how: str) -> int | None:
    """Lock and return the position; None if another process has locked it."""
    name = (projection.name,)
    await connection.execute(
        "INSERT INTO projections (name) VALUES (%s) ON CONFLICT DO NOTHING", name
    )
    cursor = connection.cursor(row_factory=scalar_row)
    query = f"SELECT position FROM projections WHERE name = %s {how}"  # noqa: S608  # A constant.
    await cursor.execute(query, name)
    return await cursor.fetchone()


async def _move(connection: Connection, projection: Projection, position: int) -> None:
    query = "UPDATE projections SET position = %s WHERE name = %s"
    await connection.execute(query, (position, projection.name))


async def _next(
    connection: Connection, position: int, before: int | None, limit: int
) -> list[StoredEvent]:
    cursor = connection.cursor(row_factory=class_row(StoredEvent))
    await cursor.execute(
        f"SELECT {COLUMNS} FROM events"  # noqa: S608  # Only constants.
        " WHERE position > %s AND (position < %s) IS NOT FALSE ORDER BY position LIMIT %s",
        (position, before, limit),
    )
    return await cursor.fetchall()


async def _apply(
    connection: Connection, projection: Projection, position: int, before: int | None = None
) -> list[StoredEvent]:
    """Apply a batch of events after `position`; return them."""
    events = await _next(connection, position, before, projection.batch)
    if events:
        await projection.apply_all(connection, events)
        await _move(connection, projection, events[-1].position)
    return events
