"""Running processes with events: killed workers, an event that stops a projection, `project`."""

import json
from collections.abc import Iterator

import psycopg
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import Installed, Web, Worker, install, until
from tests.support.servers import postgres_server

pytestmark = pytest.mark.slow

KILLS = 25
EFFECTS = """
CREATE TABLE effects (order_id uuid);
CREATE FUNCTION effect() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO effects VALUES (NEW.id);
    PERFORM set_config('lock_timeout', '0', true), pg_advisory_xact_lock(43);
    RETURN NEW;
END $$;
CREATE TRIGGER effect BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION effect();
"""
"""Each row of the list has an effect, in the same transaction, which waits for a lock."""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 43 AND NOT granted"
UNKNOWN = """
INSERT INTO events (stream, version, type, type_version, data, metadata)
VALUES ('order-x', 1, 'OrderLost', 1, '{}', '{}') RETURNING position
"""


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(worker=True, events=True))


@pytest.fixture
def url(service: Installed) -> Iterator[str]:
    """Yield the URL of a migrated database."""
    with postgres_server(service) as server:
        assert service.run("migrate", database_url=server.url).returncode == 0
        yield server.url


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def ids(database: psycopg.Connection, query: str) -> list[str]:
    return [str(found) for (found,) in database.execute(query).fetchall()]


def project(service: Installed, url: str, *options: str) -> tuple[int, list[dict[str, object]]]:
    """Return the exit status and the log records of the command `project`."""
    done = service.run("project", *options, database_url=url)
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_an_event_has_one_effect_although_workers_are_killed_inside_of_it(
    service: Installed, url: str, database: psycopg.Connection
) -> None:
    database.execute(EFFECTS)
    variables = {"database_url": url, "drain_seconds": 0}
    placed = []
    with Web(service, **variables) as web:
        for _ in range(KILLS):
            placed.append(web.place("tea").json()["id"])
            database.execute("SELECT pg_advisory_lock(43)")
            with Worker(service, **variables):
                until(lambda: ids(database, WAITING) == ["1"])
            database.execute("SELECT pg_advisory_unlock(43)")
            until(lambda: ids(database, WAITING) == ["0"])
    with Worker(service, **variables):
        until(lambda: set(ids(database, "SELECT order_id FROM effects")) == set(placed))
    assert len(ids(database, "SELECT order_id FROM effects")) == KILLS
    assert sorted(ids(database, "SELECT id FROM orders")) == sorted(placed)


def test_an_unknown_event_stops_only_the_list_until_it_is_skipped(
    service: Installed, url: str, database: psycopg.Connection
) -> None:
    variables = {"database_url": url, "drain_seconds": 0}
    with Web(service, **variables) as web, Worker(service, **variables) as worker:
        first = web.place("tea").json()["id"]
        until(lambda: ids(database, "SELECT id FROM orders") == [first])
        (unknown,) = ids(database, UNKNOWN)
        worker.wait_for("projection stopped", position=int(unknown), type="OrderLost")
        second = web.place("tea")
        assert web.get(second.headers["location"]).status_code == 200
        until(lambda: web.get(second.headers["location"]).json()["status"] == "fulfilled")
        assert worker.get("/readyz").json()["checks"]["projections"] == "degraded"
        assert (
            'projection_failures_total{projection="order_list"} 1.0' in worker.get("/metrics").text
        )
        assert len(web.get("/orders").json()["items"]) == 1
        assert project(service, url, "--skip", "order_list", str(int(unknown) + 1))[0] == 2
        assert project(service, url, "--skip", "order_list", unknown)[0] == 0
        until(lambda: len(web.get("/orders").json()["items"]) == 2)
        until(lambda: worker.get("/readyz").json()["checks"]["projections"] == "ok")
        assert web.get("/readyz").status_code == 200


def test_orders_that_were_stored_without_events_get_them(
    service: Installed, cookies_session: Cookies
) -> None:
    previous = install(Baker(cookies_session).bake(worker=True))
    with postgres_server(previous) as server:
        variables = {"database_url": server.url, "drain_seconds": 0}
        with Web(previous, **variables) as web, Worker(previous, **variables):
            placed = [
                web.place(f"tea {n}", idempotency_key=f"key-{n}").headers["location"]
                for n in range(3)
            ]
            until(lambda: all(web.get(path).json()["status"] == "fulfilled" for path in placed))
        with Web(previous, **variables) as web:
            placed.append(web.place("late").headers["location"])
            before = [web.get(path).json() for path in (*placed, "/orders")]
        assert service.run("migrate", database_url=server.url).returncode == 0
        with Web(service, **variables) as web, Worker(service, **variables):
            until(lambda: web.get(placed[-1]).json()["status"] == "fulfilled")
            assert web.place("tea 0", idempotency_key="key-0").headers["location"] == placed[0]
            web.place("last")
            until(lambda: web.get("/orders").json()["items"][0]["item"] == "last")
            after = [web.get(path).json() for path in (*placed, "/orders")]
    assert after[:3] == before[:3]
    assert after[4]["items"][2:] == before[4]["items"][1:]


def test_the_command_shows_and_rebuilds_projections(
    service: Installed, url: str, database: psycopg.Connection
) -> None:
    with Web(service, database_url=url, drain_seconds=0) as web:
        placed = {web.place("tea").json()["id"] for _ in range(3)}
    status, (shown,) = project(service, url)
    assert (status, shown["projection"], shown["lag_events"]) == (0, "order_list", 3)
    status, (rebuilt,) = project(service, url, "--rebuild", "order_list")
    assert (status, rebuilt["event"], rebuilt["events"]) == (0, "projection rebuilt", 3)
    assert set(ids(database, "SELECT id FROM orders")) == placed
    assert project(service, url)[1][0]["lag_events"] == 0
    database.execute(UNKNOWN)
    status, (failed,) = project(service, url, "--rebuild", "order_list")
    assert (status, failed["event"]) == (65, "projection not rebuilt")
    assert set(ids(database, "SELECT id FROM orders")) == placed


@pytest.mark.parametrize("options", [("--rebuild", "x"), ("--skip", "order_list", "x")])
def test_a_wrong_name_or_position_is_named(
    service: Installed, url: str, options: tuple[str, ...]
) -> None:
    status, (record,) = project(service, url, *options)
    assert status == 2
    assert record["level"] == "error"
    assert record["projection" if options[0] == "--rebuild" else "position"] == "x"


def test_an_outage_is_reported(service: Installed) -> None:
    status, records = project(service, "postgresql://localhost:1/x")
    assert (status, records[-1]["event"]) == (69, "projections unavailable")
