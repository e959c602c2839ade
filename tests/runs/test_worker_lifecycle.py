"""The life of workers, with a real database: kills, stops, outages, and no job lost or doubled."""

import random
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import LiteralString

import httpx
import psycopg
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import PATIENCE, Database, Installed, Web, Worker, database, install

pytestmark = pytest.mark.slow

JOBS = 1000
WORKERS = 4
KILLS = 30
LEASE = {"job_lease_seconds": 3, "job_retry_seconds": 0.1, "worker_concurrency": 2}
EFFECTS = "SELECT count(*) FROM effects"
OBSTACLES = """
CREATE TABLE effects (order_id uuid);
CREATE FUNCTION take_effect() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO effects VALUES (NEW.id);
    PERFORM pg_notify('effects', NEW.id::text);
    IF NEW.item = 'slow' THEN PERFORM pg_advisory_xact_lock(42); END IF;
    PERFORM pg_sleep(0.2);
    RETURN NEW;
END $$;
CREATE TRIGGER take_effect BEFORE UPDATE OF status ON orders
    FOR EACH ROW EXECUTE FUNCTION take_effect();
CREATE FUNCTION wait_before_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared(43);
    RETURN NEW;
END $$;
CREATE TRIGGER wait_before_job BEFORE INSERT ON procrastinate_jobs
    FOR EACH ROW EXECUTE FUNCTION wait_before_job();
"""
"""What a job does takes a moment and is written down as often as it is done; locks hold up both."""

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(worker=True))


@pytest.fixture(scope="module")
def postgres(service: Installed) -> Iterator[Database]:
    # Not in a folder of pytest's: where root runs the tests, the server is another user's.
    with TemporaryDirectory() as folder, database(service, Path(folder, "data")) as running:
        with psycopg.connect(running.url) as connection:
            connection.execute(OBSTACLES)
        yield running


@pytest.fixture
def sql(postgres: Database) -> Iterator[psycopg.Connection]:
    """Yield a connection of the test's own to a database that holds no order and no job."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE orders, effects, procrastinate_jobs, procrastinate_workers CASCADE"
        )
        connection.execute("LISTEN effects")
        yield connection


def count(sql: psycopg.Connection, query: LiteralString) -> int:
    row = sql.execute(query).fetchone()
    assert row
    return int(row[0])


def at_least(sql: psycopg.Connection, query: LiteralString, number: int) -> bool:
    return count(sql, query) >= number


def until(condition: Callable[[], bool]) -> None:
    """Ask until it is so."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline


def wait_for_effects(sql: psycopg.Connection, number: int) -> None:
    """Wait until so many more jobs have had their effect, or all."""
    wanted = min(count(sql, EFFECTS) + number, JOBS)
    deadline = monotonic() + 4 * PATIENCE
    while count(sql, EFFECTS) < wanted:
        list(sql.notifies(timeout=0.05, stop_after=1))
        assert monotonic() < deadline


def place(service: Installed, postgres: Database, items: list[str]) -> None:
    """Place orders over HTTP, and so their jobs."""
    with Web(service, database_url=postgres.url, drain_seconds=0) as web:
        with httpx.Client(base_url=web.url, timeout=PATIENCE) as client:
            for item in items:
                answer = client.post("/orders", json={"item": item, "quantity": 1})
                assert answer.status_code == 201
        assert web.stop() == 0


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "terminate"])
def test_whatever_ends_workers_each_job_is_done_and_has_one_effect(
    service: Installed, postgres: Database, sql: psycopg.Connection, sign: signal.Signals
) -> None:
    place(service, postgres, ["tea"] * JOBS)
    chance = random.Random(sign)  # noqa: S311  # The same kills each time.
    with ExitStack() as stack:

        def start() -> Worker:
            # While it starts, the others go on and are ended: nobody waits for it.
            return stack.push(Worker(service, database_url=postgres.url, **LEASE))

        workers, ended = [start() for _ in range(WORKERS)], list[Worker]()
        for _ in range(KILLS):
            wait_for_effects(sql, JOBS // KILLS // 2)
            while not (at_work := [worker for worker in workers if worker.jobs_done()]):
                wait_for_effects(sql, 1)
            busy = chance.choice(at_work)
            busy.process.send_signal(sign)
            workers.remove(busy)
            ended.append(busy)
            workers.append(start())
        wait_for_effects(sql, JOBS)
        until(lambda: count(sql, "SELECT count(*) FROM procrastinate_jobs") == 0)
        statuses = {worker.process.wait(PATIENCE) for worker in ended}
        assert statuses == {0 if sign == signal.SIGTERM else -sign}
        for worker in workers:
            assert worker.stop() == 0
    assert count(sql, EFFECTS) == count(sql, "SELECT count(DISTINCT order_id) FROM effects") == JOBS
    assert count(sql, "SELECT count(*) FROM orders WHERE status = 'fulfilled'") == JOBS


def test_the_job_of_a_dead_worker_holds_nobody_up(
    service: Installed, postgres: Database, sql: psycopg.Connection
) -> None:
    for_ever = {"database_url": postgres.url, "job_lease_seconds": 3600}
    fulfilled = "SELECT count(*) FROM orders WHERE status = 'fulfilled'"
    sql.execute("SELECT pg_advisory_lock(42)")
    place(service, postgres, ["slow"])
    with Worker(service, **for_ever) as dead:
        until(partial(at_least, sql, WAITING, 1))
        dead.process.kill()
    place(service, postgres, ["tea"] * 50)
    with Worker(service, **for_ever):
        until(partial(at_least, sql, fulfilled, 50))
        until(lambda: count(sql, "SELECT count(*) FROM procrastinate_jobs") == 1)
    sql.execute("SELECT pg_advisory_unlock(42)")


def test_a_web_process_killed_between_order_and_job_leaves_neither(
    service: Installed, postgres: Database, sql: psycopg.Connection
) -> None:
    rounds, at_once = 20, 10
    body = b'{"item": "tea", "quantity": 1}'
    head = f"POST /orders HTTP/1.1\r\nHost: service\r\nContent-Length: {len(body)}\r\n"
    request = f"{head}Content-Type: application/json\r\n\r\n".encode() + body
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '% web'"
    for _ in range(rounds):
        with (
            Web(service, database_url=postgres.url, database_pool_size=at_once) as web,
            ExitStack() as stack,
        ):
            assert web.place("acknowledged").status_code == 201
            sql.execute("SELECT pg_advisory_lock(43)")
            address = httpx.URL(web.url)
            for _ in range(at_once):
                client = socket.create_connection((address.host, address.port))
                stack.enter_context(closing(client)).sendall(request)
            until(partial(at_least, sql, WAITING, at_once))
            web.process.kill()
        sql.execute("SELECT pg_advisory_unlock(43)")
        until(lambda: count(sql, ours) == 0)
    orders = sql.execute("SELECT id::text, item FROM orders").fetchall()
    jobs = sql.execute("SELECT args->>'order_id' FROM procrastinate_jobs").fetchall()
    assert sorted(order_id for order_id, _ in orders) == sorted(order_id for (order_id,) in jobs)
    assert [item for _, item in orders] == ["acknowledged"] * rounds


@pytest.mark.parametrize("outage", ["frozen", "killed"])
def test_a_worker_outlives_an_outage(
    service: Installed, postgres: Database, sql: psycopg.Connection, outage: str
) -> None:
    sql.close()
    hurt, mend = {
        "frozen": (postgres.freeze, postgres.thaw),
        "killed": (postgres.kill, postgres.start),
    }[outage]
    with Worker(service, database_url=postgres.url, **LEASE) as worker:
        hurt()
        try:
            worker.wait_for("job fetch failed")
            assert worker.get("/livez").status_code == 200
            assert worker.get("/readyz").status_code == 503
        finally:
            mend()
        until(lambda: worker.get("/readyz").status_code == 200)
        place(service, postgres, ["tea"])
        worker.wait_for("job", outcome="done")
