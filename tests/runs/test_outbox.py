"""The outbox of running processes: workers and brokers fail, and every event is published once."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import Installed, Web, Worker, install, until
from tests.support.servers import Nats, postgres_server

pytestmark = pytest.mark.slow

KILLS = 25
READ = """
import asyncio, json, sys, nats

async def main():
    client = await nats.connect(sys.argv[1])
    context = client.jetstream()
    last = (await context.stream_info("order-service")).state.last_seq
    for number in range(1, last + 1):
        print((await context.get_msg("order-service", number)).data.decode())
    await client.close()

asyncio.run(main())
"""
STORED = "SELECT position, stream, version FROM events ORDER BY position"
WAIT = """
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('lock_timeout', '0', true), pg_advisory_xact_lock(43);
    RETURN NEW;
END $$;
CREATE TRIGGER wait BEFORE UPDATE ON projections FOR EACH ROW WHEN (NEW.name = 'outbox')
    EXECUTE FUNCTION wait();
"""
"""The position of the outbox waits for a lock, after the messages are published."""
WAITING = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 43 AND NOT granted
"""
BEHIND = """
SELECT coalesce(max(position), 0) > (SELECT position FROM projections WHERE name = 'outbox')
FROM events
"""


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(worker=True, events=True, broker="nats"))


@pytest.fixture
def nats(service: Installed, tmp_path: Path) -> Iterator[Nats]:
    server = Nats(service.folder / ".venv/bin/nats-server", tmp_path / "nats")
    yield server
    server.kill()


@pytest.fixture
def variables(service: Installed, nats: Nats) -> Iterator[dict[str, object]]:
    """Yield the settings of processes with a new database."""
    with postgres_server(service, nats_url=nats.url) as server:
        yield {"database_url": server.url, "nats_url": nats.url, "drain_seconds": 0}


@pytest.fixture
def database(variables: dict[str, object]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(str(variables["database_url"]), autocommit=True) as connection:
        yield connection


def only(database: psycopg.Connection, query: str) -> object:
    (value,) = database.execute(query).fetchone() or (None,)
    return value


def assert_published(service: Installed, nats: Nats, database: psycopg.Connection) -> None:
    """Check that the messages are the events: all of them, in order, and once."""
    until(lambda: only(database, BEHIND) is False)
    read = [service.python, "-c", READ, nats.url]
    done = subprocess.run(read, capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    published = [(int(e["id"].split("-")[0]), e["subject"], int(e["sequence"])) for e in events]
    assert published == database.execute(STORED).fetchall()


def test_workers_killed_after_publishing_lose_and_repeat_nothing(
    service: Installed, nats: Nats, variables: dict[str, object], database: psycopg.Connection
) -> None:
    database.execute(WAIT)
    with Web(service, **variables) as web:
        for _ in range(KILLS):
            assert web.place("tea").status_code == 201
            database.execute("SELECT pg_advisory_lock(43)")
            with Worker(service, **variables):
                until(lambda: only(database, WAITING) == 1)
            database.execute("SELECT pg_advisory_unlock(43)")
            until(lambda: only(database, WAITING) == 0)
    with Worker(service, **variables):
        assert_published(service, nats, database)


def test_outages_of_the_broker_fail_no_request_and_lose_and_repeat_nothing(
    service: Installed, nats: Nats, variables: dict[str, object], database: psycopg.Connection
) -> None:
    with Web(service, **variables) as web, Worker(service, **variables) as worker:
        for begin, end in [(nats.kill, nats.start), (nats.freeze, nats.thaw)]:
            for number in range(40):
                if number == 10:
                    begin()
                assert web.place("tea").status_code == 201
            worker.wait_for("projection paused", backing_service="nats")
            assert worker.get("/readyz").json()["checks"]["broker"] == "degraded"
            assert (web.get("/readyz").status_code, worker.get("/readyz").status_code) == (200, 200)
            assert "broker" not in web.get("/readyz").json()["checks"]
            end()
            assert_published(service, nats, database)
        until(lambda: worker.get("/readyz").json()["checks"]["broker"] == "ok")
        assert worker.stop() == 0


def test_the_configuration_is_checked(service: Installed, variables: dict[str, object]) -> None:
    done = service.run("check", **variables)
    assert done.returncode == 0, done.stdout
    down = service.run("check", **variables | {"nats_url": "nats://127.0.0.1:1"})
    assert down.returncode == 69
    (found,) = [line for line in down.stdout.splitlines() if '"broker"' in line]
    assert json.loads(found)["result"] == "degraded"
    for url in ("redis://localhost", "nats://", "nats://localhost/path", "nats://localhost?tls=1"):
        wrong = service.run("check", **variables | {"nats_url": url})
        assert wrong.returncode == 78
        assert "NATS_URL" in wrong.stdout + wrong.stderr
