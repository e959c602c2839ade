"""Worker processes that are killed or stopped: no job is lost, none has its effect twice."""

import random
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import LiteralString

import httpx
import psycopg
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import TIMEOUT_SECONDS, Installed, Web, Worker, install, until
from tests.support.servers import PostgresServer, postgres_server

pytestmark = pytest.mark.slow

JOBS = 1000
WORKERS = 4
KILLS = 30
LEASE = {"job_lease_seconds": 3, "job_retry_seconds": 0.1, "worker_concurrency": 2}
EFFECTS = "SELECT count(*) FROM effects"
TRIGGERS = """
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
"""Triggers that record and delay the effect of a job, and wait for locks that a test holds.

Lock 42 stops jobs for the item `slow`; lock 43 stops the creation of jobs.
"""

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(worker=True))


@pytest.fixture(scope="module")
def postgres(service: Installed) -> Iterator[PostgresServer]:
    with postgres_server(service) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute(TRIGGERS)
        yield server


@pytest.fixture
def sql(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    """Connect to the database after deleting all orders and jobs."""
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


def wait_for_effects(sql: psycopg.Connection, number: int) -> None:
    """Wait until this number of further jobs, or all jobs, have had their effect."""
    wanted = min(count(sql, EFFECTS) + number, JOBS)

    def reached() -> bool:
        list(sql.notifies(timeout=0.05, stop_after=1))
        return count(sql, EFFECTS) >= wanted

    until(reached, 4 * TIMEOUT_SECONDS)


def place(service: Installed, postgres: PostgresServer, items: list[str]) -> None:
    """Place orders over HTTP, which creates their jobs."""
    with Web(service, database_url=postgres.url, drain_seconds=0) as web:
        with httpx.Client(base_url=web.url, timeout=TIMEOUT_SECONDS) as client:
            for item in items:
                placed = client.post("/orders", json={"item": item, "quantity": 1})
                assert placed.status_code == 201
        assert web.stop() == 0


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "terminate"])
def test_every_job_has_one_effect_while_workers_are_killed_or_stopped(
    service: Installed, postgres: PostgresServer, sql: psycopg.Connection, sign: signal.Signals
) -> None:
    place(service, postgres, ["tea"] * JOBS)
    chance = random.Random(sign)  # noqa: S311  # Reproducible.
    with ExitStack() as stack:

        def start() -> Worker:
            # Do not wait for it: the other workers go on and are ended meanwhile.
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
        statuses = {worker.process.wait(TIMEOUT_SECONDS) for worker in ended}
        assert statuses == {0 if sign == signal.SIGTERM else -sign}
        for worker in workers:
            assert worker.stop() == 0
    assert count(sql, EFFECTS) == count(sql, "SELECT count(DISTINCT order_id) FROM effects") == JOBS
    assert count(sql, "SELECT count(*) FROM orders WHERE status = 'fulfilled'") == JOBS


def test_the_unfinished_job_of_a_crashed_worker_does_not_block_other_jobs(
    service: Installed, postgres: PostgresServer, sql: psycopg.Connection
) -> None:
    settings = {"database_url": postgres.url, "job_lease_seconds": 3600}
    fulfilled = "SELECT count(*) FROM orders WHERE status = 'fulfilled'"
    sql.execute("SELECT pg_advisory_lock(42)")
    place(service, postgres, ["slow"])
    with Worker(service, **settings) as crashed:
        until(partial(at_least, sql, WAITING, 1))
        crashed.process.kill()
    place(service, postgres, ["tea"] * 50)
    with Worker(service, **settings):
        until(partial(at_least, sql, fulfilled, 50))
        # The scheduled cleanup of the crashed worker may be left as well.
        left = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'fulfil'"
        until(lambda: count(sql, left) == 1)
    sql.execute("SELECT pg_advisory_unlock(42)")


def test_a_web_process_killed_between_order_and_job_stores_neither(
    service: Installed, postgres: PostgresServer, sql: psycopg.Connection
) -> None:
    rounds, at_once = 20, 10
    body = b'{"item": "tea", "quantity": 1}'
    head = f"POST /orders HTTP/1.1\r\nHost: service\r\nContent-Length: {len(body)}\r\n"
    request = f"{head}Content-Type: application/json\r\n\r\n".encode() + body
    connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '% web'"
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
        until(lambda: count(sql, connections) == 0)
    orders = sql.execute("SELECT id::text, item FROM orders").fetchall()
    jobs = sql.execute("SELECT args->>'order_id' FROM procrastinate_jobs").fetchall()
    assert sorted(order_id for order_id, _ in orders) == sorted(order_id for (order_id,) in jobs)
    assert [item for _, item in orders] == ["acknowledged"] * rounds


@pytest.mark.parametrize("outage", ["frozen", "killed"])
def test_a_worker_survives_an_outage_of_the_database(
    service: Installed, postgres: PostgresServer, sql: psycopg.Connection, outage: str
) -> None:
    sql.close()
    stop, resume = {
        "frozen": (postgres.freeze, postgres.thaw),
        "killed": (postgres.kill, postgres.start),
    }[outage]
    with Worker(service, database_url=postgres.url, **LEASE) as worker:
        stop()
        try:
            worker.wait_for("job fetch failed")
            assert worker.get("/livez").status_code == 200
            assert worker.get("/readyz").status_code == 503
        finally:
            resume()
        until(lambda: worker.get("/readyz").status_code == 200)
        place(service, postgres, ["tea"])
        worker.wait_for("job", outcome="done", task="fulfil")
