"""Events in PostgreSQL: appended in order, never changed; projections that apply each once."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest
from structlog.contextvars import bound_contextvars
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.events import projector
from {{ cookiecutter.package_name }}.chassis.events.lag import lag
from {{ cookiecutter.package_name }}.chassis.events.projections import (
    Projection,
    Stopped,
    catch_up,
    rebuild,
    skip,
)
from {{ cookiecutter.package_name }}.chassis.events.projector import Projector
from {{ cookiecutter.package_name }}.chassis.events.store import Conflict, StoredEvent, append, read
from {{ cookiecutter.package_name }}.chassis.events.types import EventTypes, UnknownEvent
from {{ cookiecutter.package_name }}.chassis.postgres.connection import Connection
from {{ cookiecutter.package_name }}.chassis.postgres.database import open_database
from {{ cookiecutter.package_name }}.chassis.postgres.pool import Pool
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import TIMEOUT, until

WRITERS, STREAMS, APPENDS = 16, 40, 60
SEEN = "CREATE TABLE seen (projection text, position bigint, stream text, version int, n serial)"
LONG, LIMIT = "s" * 201, "a name has 1 to 200 characters"


@dataclass(frozen=True)
class Counted:
    number: int


@dataclass(frozen=True)
class Unlisted:
    pass


TYPES = EventTypes(Counted)


class Seen(Projection):
    """A projection that records what it has applied; a negative number may stop it."""

    types = TYPES

    def __init__(self, name: str = "seen", *, stops: bool = True) -> None:
        self.name, self.stops = name, stops

    async def apply(self, connection: Connection, event: object, stored: StoredEvent) -> None:
        assert isinstance(event, Counted)
        values = (self.name, stored.position, stored.stream, stored.version)
        await connection.execute("INSERT INTO seen VALUES (%s, %s, %s, %s)", values)
        if event.number < 0 and self.stops:
            raise ValueError(event.number)

    async def clear(self, connection: Connection) -> None:
        await connection.execute("DELETE FROM seen WHERE projection = %s", (self.name,))


@pytest.fixture
async def pool(settings: Settings, database: psycopg.Connection) -> AsyncIterator[Pool]:
    database.execute(SEEN)
    try:
        async with open_database(settings, "test") as opened:
            yield opened.pool
    finally:
        database.execute("DROP TABLE seen")


async def add(pool: Pool, stream: str, expected: int, *events: object) -> None:
    async with pool.connection() as connection, connection.transaction():
        await append(connection, TYPES, stream, expected, events)


async def version_of(pool: Pool, stream: str) -> int:
    async with pool.connection() as connection:
        return len(await read(connection, TYPES, stream))


def positions(database: psycopg.Connection) -> list[int]:
    rows = database.execute("SELECT position FROM events ORDER BY position").fetchall()
    return [position for (position,) in rows]


def seen(database: psycopg.Connection, name: str = "seen") -> list[tuple[int, str, int]]:
    query = "SELECT position, stream, version FROM seen WHERE projection = %s ORDER BY n"
    return database.execute(query, (name,)).fetchall()


async def test_appended_events_are_read_in_order_with_the_ids_of_the_request(
    pool: Pool, database: psycopg.Connection
) -> None:
    with bound_contextvars(request_id="r", trace_id="t", item="tea"):
        await add(pool, "a", 0, Counted(1), Counted(2))
    await add(pool, "a", 2, Counted(3))
    async with pool.connection() as connection:
        assert await read(connection, TYPES, "a") == [Counted(1), Counted(2), Counted(3)]
    rows = database.execute("SELECT metadata FROM events ORDER BY position").fetchall()
    assert rows == [({"request_id": "r", "trace_id": "t"},)] * 2 + [({},)]


@pytest.mark.parametrize(
    ("stream", "expected", "event", "problem"),
    [
        ("a", 0, Counted(2), Conflict("stream a does not have version 0")),
        ("a", 2, Counted(2), Conflict("stream a does not have version 2")),
        ("a", 1, Unlisted(), UnknownEvent("Unlisted")),
        ("", 0, Counted(2), ValueError(f"stream '': {LIMIT}")),
        (LONG, 0, Counted(2), ValueError(f"stream '{LONG[:20]}…': {LIMIT}")),
    ],
)
async def test_a_wrong_append_is_named_and_writes_nothing(
    pool: Pool, stream: str, expected: int, event: object, problem: Exception
) -> None:
    await add(pool, "a", 0, Counted(1))
    with pytest.raises(type(problem)) as raised:
        await add(pool, stream, expected, Counted(3), event)
    assert str(raised.value) == str(problem)
    assert [await version_of(pool, each) for each in ("a", stream)] in ([1, 0], [1, 1])


@pytest.mark.parametrize(
    "change", ["UPDATE events SET type = 'x'", "DELETE FROM events", "TRUNCATE events"]
)
async def test_the_database_rejects_changes_of_events(
    pool: Pool, database: psycopg.Connection, change: str
) -> None:
    await add(pool, "a", 0, Counted(1))
    with pytest.raises(psycopg.errors.RaiseException, match="cannot be changed"):
        database.execute(change)
    assert len(positions(database)) == 1


async def write(pool: Pool, seed: int) -> None:
    """Append to random streams; some transactions end late, some are rolled back."""
    chance = random.Random(seed)  # noqa: S311  # Not a secret.
    for _ in range(APPENDS):
        stream = f"s{chance.randrange(STREAMS)}"
        with suppress(Conflict, ZeroDivisionError):
            expected = await version_of(pool, stream)
            async with pool.connection() as connection, connection.transaction():
                await append(connection, TYPES, stream, expected, [Counted(1)])
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.random() * 0.02)
                if chance.random() < 0.05:
                    raise ZeroDivisionError


async def test_every_event_is_applied_once_and_in_order_beside_concurrent_writers(
    settings: Settings, pool: Pool, database: psycopg.Connection
) -> None:
    done = False

    async def follow(pool: Pool) -> None:
        while not done:
            await catch_up(pool, Seen())
            await asyncio.sleep(0)

    async with open_database(settings.model_copy(update={"database_pool_size": 20}), "w") as opened:
        readers = [asyncio.create_task(follow(pool)) for _ in range(2)]
        await asyncio.gather(*(write(opened.pool, seed) for seed in range(WRITERS)))
        done = True
        await asyncio.gather(*readers)
    while await catch_up(pool, Seen()):
        pass
    applied = seen(database)
    assert [position for position, _, _ in applied] == positions(database)
    assert len(applied) > WRITERS * APPENDS / 2
    versions = defaultdict(list)
    for _, stream, version in applied:
        versions[stream].append(version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


async def has_checks(projector: Projector, result: str) -> None:
    """Wait until the check of the projections has this result."""
    async with asyncio.timeout(TIMEOUT):
        while await projector.ping() != result:  # noqa: ASYNC110  # It is asked, as by a probe.
            await asyncio.sleep(0.01)


async def test_an_event_that_cannot_be_applied_stops_its_projection_until_it_is_skipped(
    pool: Pool, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "RETRY_SECONDS", 3600)
    for number, value in enumerate([1, 2, -3, 4]):
        await add(pool, "a", number, Counted(value))
    third, last = positions(database)[2:]
    running = Projector(pool, [Seen(), Seen("others", stops=False)])
    with capture_logs() as lines:
        task = asyncio.create_task(running.run())
        await has_checks(running, "degraded")
        await asyncio.to_thread(until, lambda: len(seen(database, "others")) == 4)
        assert len(seen(database)) == 2
        assert (await lag(pool, Seen())).events == last - third + 1
        assert not await skip(pool, Seen(), last)
        assert await skip(pool, Seen(), third)
        await has_checks(running, "ok")
        task.cancel()
        await asyncio.wait([task])
    assert [(it.get("projection"), it.get("position")) for it in lines] == [("seen", third)]
    assert seen(database)[-1][0] == last


async def test_a_projection_waits_for_an_event_of_a_newer_release(
    pool: Pool, database: psycopg.Connection
) -> None:
    await add(pool, "a", 0, Counted(1))
    database.execute(
        "INSERT INTO events (stream, version, type, type_version, data, metadata)"
        " VALUES ('b', 1, 'Counted', 2, '{}', '{}')"
    )
    with pytest.raises(Stopped, match="Counted of b"):
        await catch_up(pool, Seen())
    assert seen(database) == []


async def test_a_projector_is_notified_of_events(
    pool: Pool, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "POLL_SECONDS", 3600)
    task = asyncio.create_task(Projector(pool, [Seen()]).run())
    number = 0
    async with asyncio.timeout(TIMEOUT):
        while not seen(database):  # It may not listen yet.
            await add(pool, "a", number, Counted(1))
            number += 1
            await asyncio.sleep(0.05)
    task.cancel()


async def test_a_failed_rebuild_changes_nothing(pool: Pool, database: psycopg.Connection) -> None:
    await add(pool, "a", 0, Counted(1))
    await catch_up(pool, Seen())
    await add(pool, "a", 1, Counted(-1))
    before = seen(database)
    with pytest.raises(Stopped):
        await rebuild(pool, Seen())
    assert (seen(database), (await lag(pool, Seen())).events) == (before, 1)
