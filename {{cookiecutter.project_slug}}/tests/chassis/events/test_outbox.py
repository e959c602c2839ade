"""The outbox: each event is published once and in order, whatever fails meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import nats
import psycopg
import pytest
from nats.errors import MaxPayloadError
from nats.js.api import RawStreamMsg
from prometheus_client import REGISTRY
from pydantic import TypeAdapter

from dev.backing_services.nats import server

from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.events import projections, projector
from {{ cookiecutter.package_name }}.chassis.events.lag import lag
from {{ cookiecutter.package_name }}.chassis.events.outbox import Outbox
from {{ cookiecutter.package_name }}.chassis.events.projections import (
    Stopped,
    catch_up,
    rebuild,
    skip,
)
from {{ cookiecutter.package_name }}.chassis.events.projector import Projector
from {{ cookiecutter.package_name }}.chassis.nats.broker import Broker, open_broker
from {{ cookiecutter.package_name }}.chassis.nats.settings import NatsUrl
from {{ cookiecutter.package_name }}.chassis.postgres.database import open_database
from {{ cookiecutter.package_name }}.chassis.postgres.pool import Pool
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import TIMEOUT, Proxy

APPEND = """
INSERT INTO events (stream, version, type, type_version, data, metadata)
VALUES (%s, %s, 'Counted', 1, %s, '{"request_id": "r"}') RETURNING position
"""


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    async with open_database(settings, "test") as opened:
        yield opened.pool


@pytest.fixture(autouse=True)
def poll_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "POLL_SECONDS", 0.05)


@pytest.fixture
def nats_proxy(nats_url: str) -> Iterator[Proxy]:
    host, port = nats_url.removeprefix("nats://").split(":")
    proxy = Proxy((host, int(port)))
    yield proxy
    proxy.close()


@asynccontextmanager
async def broker_at(settings: Settings, url: str) -> AsyncIterator[Broker]:
    nats_url = TypeAdapter(NatsUrl).validate_python(url)
    changed = {"nats_url": nats_url, "otel_service_name": uuid4().hex}
    async with open_broker(settings.model_copy(update=changed), "test") as broker:
        yield broker


@pytest.fixture
async def broker(settings: Settings, nats_proxy: Proxy) -> AsyncIterator[Broker]:
    """Yield a broker behind the proxy, with its own stream."""
    async with broker_at(settings, f"nats://127.0.0.1:{nats_proxy.port}") as broker:
        yield broker


def add(database: psycopg.Connection, count: int, data: str = "{}") -> list[int]:
    """Append events to a stream, and return their positions."""
    stream = uuid4().hex
    rows = [database.execute(APPEND, (stream, n + 1, data)).fetchone() for n in range(count)]
    return [row[0] for row in rows if row]


async def messages(nats_url: str, stream: str) -> list[RawStreamMsg]:
    async with await nats.connect(nats_url) as client:
        context = client.jetstream()
        last = (await context.stream_info(stream)).state.last_seq
        return [await context.get_msg(stream, number) for number in range(1, last + 1)]


async def published(nats_url: str, broker: Broker) -> list[int]:
    """Return the positions of the published events."""
    found = await messages(nats_url, broker.stream)
    return [int(json.loads(each.data or b"")["id"].split("-")[0]) for each in found]


async def test_events_are_published_in_order_as_cloud_events(
    pool: Pool, database: psycopg.Connection, broker: Broker, nats_url: str
) -> None:
    positions = add(database, 50, '{"number": 7}')
    assert await catch_up(pool, Outbox(broker)) == Outbox.batch
    while await catch_up(pool, Outbox(broker)):
        pass
    assert await published(nats_url, broker) == positions
    last = (await messages(nats_url, broker.stream))[-1]
    query = "SELECT stream, appended_at FROM events WHERE position = %s"
    (row,) = database.execute(query, positions[-1:])
    assert last.subject == f"{broker.stream}.Counted"
    event = json.loads(last.data or b"")
    assert (last.headers or {})["Nats-Msg-Id"] == event.pop("id")
    assert event == {
        "specversion": "1.0",
        "source": broker.stream,
        "type": "Counted",
        "typeversion": 1,
        "subject": row[0],
        "sequence": "50",
        "time": row[1].isoformat(),
        "datacontenttype": "application/json",
        "requestid": "r",
        "data": {"number": 7},
    }


async def test_outages_of_the_broker_lose_and_repeat_nothing(
    pool: Pool,
    database: psycopg.Connection,
    broker: Broker,
    nats_proxy: Proxy,
    nats_url: str,
) -> None:
    running = Projector(pool, [Outbox(broker)])
    task = asyncio.create_task(running.run())
    positions = []
    for begin, end in [(nats_proxy.cut, nats_proxy.open), (nats_proxy.freeze, nats_proxy.thaw)]:
        positions += add(database, 30)
        await caught_up(pool, broker)
        positions += add(database, 5)
        await asyncio.to_thread(begin)
        positions += add(database, 30)
        async with asyncio.timeout(TIMEOUT):
            while await broker.ping() == "ok" or (measured() or 0) < 30:
                pass
        await asyncio.to_thread(end)
        await caught_up(pool, broker)
    task.cancel()
    await asyncio.wait([task])
    assert await published(nats_url, broker) == positions


def measured() -> float | None:
    return REGISTRY.get_sample_value("projection_lag_events", {"projection": "outbox"})


async def caught_up(pool: Pool, broker: Broker) -> None:
    async with asyncio.timeout(TIMEOUT):
        while (await lag(pool, Outbox(broker))).events:
            pass


async def test_an_outage_between_two_messages_does_not_stop_the_outbox(
    pool: Pool, database: psycopg.Connection, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, 1)

    async def publish(*_: object) -> int:
        raise Unavailable("nats", "timeout")

    monkeypatch.setattr(broker, "publish", publish)
    with pytest.raises(Unavailable):
        await catch_up(pool, Outbox(broker))


async def test_what_was_published_before_a_crash_is_not_published_again(
    pool: Pool,
    database: psycopg.Connection,
    broker: Broker,
    nats_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with await nats.connect(nats_url) as client:  # Remembers ids for a tenth of a second.
        await client.jetstream().add_stream(
            name=broker.stream, subjects=[f"{broker.stream}.>"], duplicate_window=0.1
        )
    positions = add(database, 30)

    async def crash(*_: object) -> None:
        await asyncio.sleep(0.2)
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(projections, "_move", crash)
        with pytest.raises(ZeroDivisionError):
            await catch_up(pool, Outbox(broker))
    assert await published(nats_url, broker) == positions[: Outbox.batch]
    while await catch_up(pool, Outbox(broker)):
        pass
    assert await published(nats_url, broker) == positions


async def test_a_process_that_others_have_replaced_publishes_nothing(broker: Broker) -> None:
    first = await broker.publish("A", "1", b"", 0)
    assert await broker.publish("A", "2", b"", first) == first + 1
    with pytest.raises(Unavailable):
        await broker.publish("A", "3", b"", first)
    assert await broker.last() == ("2", first + 1)


async def test_a_message_that_is_too_large_stops_the_outbox_until_it_is_skipped(
    pool: Pool, database: psycopg.Connection, broker: Broker, nats_url: str
) -> None:
    (small,) = add(database, 1)
    (large,) = add(database, 1, json.dumps({"text": "x" * 2**20}))
    (other,) = add(database, 1)
    with pytest.raises(Stopped) as raised:
        await catch_up(pool, Outbox(broker))
    assert raised.value.stored.position == large
    assert isinstance(raised.value.__cause__, MaxPayloadError)
    assert await catch_up(pool, Outbox(broker), before=large) == 1
    assert await skip(pool, Outbox(broker), large)
    assert await catch_up(pool, Outbox(broker)) == 1
    assert await published(nats_url, broker) == [small, other]


async def test_everything_is_published_again_only_to_a_new_stream(
    pool: Pool, database: psycopg.Connection, broker: Broker, nats_url: str
) -> None:
    positions = add(database, 30)
    while await catch_up(pool, Outbox(broker)):
        pass
    with pytest.raises(ValueError, match=f"the stream {broker.stream} is not new"):
        await rebuild(pool, Outbox(broker))
    async with await nats.connect(nats_url) as client:
        await client.jetstream().delete_stream(broker.stream)
    await broker.close()
    assert await rebuild(pool, Outbox(broker)) == 30
    assert await published(nats_url, broker) == positions


USERS = """
authorization: {
  users: [
    {user: u, password: "p:/@", permissions: {publish: "$JS.API.>", subscribe: "_INBOX.>"}}
  ]
}
"""
"""A user who may not publish to the stream."""


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("nats://u:p%3A%2F%40@127.0.0.1:{port}", "permission"),
        ("nats://u:wrong@127.0.0.1:{port}", "auth"),
        ("nats://127.0.0.1:{port}", "auth"),
        ("tls://u:p%3A%2F%40@127.0.0.1:{port}", "tls"),
        ("nats://127.0.0.1:1", "refused"),
        ("nats://no-such-host.invalid", "name"),
    ],
)
async def test_the_reason_of_an_outage_is_named(
    settings: Settings, tmp_path: Path, url: str, failure: str
) -> None:
    rights = tmp_path / "rights.conf"
    rights.write_text(USERS)
    with server(tmp_path / "nats", "--config", str(rights)) as started:
        address = url.format(port=started.rpartition(":")[2])
        async with broker_at(settings, address) as broker:
            with pytest.raises(Unavailable) as raised:
                await broker.publish("A", "1", b"", 0)
    assert (raised.value.service, raised.value.failure) == ("nats", failure)
