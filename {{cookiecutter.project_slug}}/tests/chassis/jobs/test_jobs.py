"""Jobs: deferred with their order, retried with backoff, managed by `jobs`."""

import asyncio
import json
from argparse import ArgumentParser
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from procrastinate.jobs import Job
from procrastinate.schema import SchemaManager
from pydantic import ValidationError
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.jobs import loop
from {{ cookiecutter.package_name }}.chassis.jobs.command import add_options
from {{ cookiecutter.package_name }}.chassis.jobs.queue import JobQueue, defer
from {{ cookiecutter.package_name }}.chassis.jobs.tasks import (
    ATTEMPTS,
    LONGEST_WAIT,
    Backoff,
    Tasks,
    validated,
)
from {{ cookiecutter.package_name }}.chassis.postgres.database import open_database
from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.job_fixtures import Worker, order_status, place_order
from ...support.service import TIMEOUT, Service, run, until

SCHEMA = """
SELECT concat_ws(' ', oid::regprocedure, regexp_replace(prosrc, '\\s+', ' ', 'g'))
FROM pg_proc WHERE proname ^@ 'procrastinate_'
UNION ALL
SELECT concat_ws(' ', table_name, column_name, data_type) FROM information_schema.columns
WHERE table_name ^@ 'procrastinate_'
"""
ADD_JOB = """
INSERT INTO procrastinate_jobs (queue_name, task_name, status, scheduled_at)
VALUES ('default', 'task', %s, now() + make_interval(hours => %s))
"""
LISTENING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle' AND query ^@ 'LISTEN'
"""


def jobs(database: psycopg.Connection) -> list[dict[str, Any]]:
    query = "SELECT args - '_context' FROM procrastinate_jobs ORDER BY id"
    found = database.execute(query).fetchall()
    return [arguments for (arguments,) in found]


async def test_an_order_is_placed_with_its_job(
    client: httpx.AsyncClient, database: psycopg.Connection
) -> None:
    placed = await client.post("/orders", json=EXAMPLE)
    assert jobs(database) == [{"order_id": placed.json()["id"]}]


async def test_concurrent_retries_of_a_request_add_one_job(
    client: httpx.AsyncClient, database: psycopg.Connection
) -> None:
    headers = {"Idempotency-Key": "k"}
    posts = (client.post("/orders", json=EXAMPLE, headers=headers) for _ in range(20))
    (order_id,) = {response.json()["id"] for response in await asyncio.gather(*posts)}
    assert jobs(database) == [{"order_id": order_id}]


async def test_an_order_is_rolled_back_when_its_job_cannot_be_added(
    client: httpx.AsyncClient, database: psycopg.Connection
) -> None:
    database.execute("ALTER TABLE procrastinate_jobs ADD CONSTRAINT none CHECK (false)")
    try:
        with capture_logs():
            assert (await client.post("/orders", json=EXAMPLE)).status_code == 500
    finally:
        database.execute("ALTER TABLE procrastinate_jobs DROP CONSTRAINT none")
    assert (await client.get("/orders")).json()["items"] == []


async def test_the_oldest_job_is_due_and_not_begun(
    settings: Settings, database: psycopg.Connection
) -> None:
    async with open_database(settings, "test") as opened:
        queue = JobQueue(opened.pool)
        assert await queue.oldest_seconds() == 0
        for status, hours in (("doing", 0), ("failed", 0), ("todo", 4)):
            database.execute(ADD_JOB, (status, hours))
        database.execute("UPDATE procrastinate_events SET at = now() - make_interval(hours => 9)")
        assert await queue.oldest_seconds() == 0
        database.execute(ADD_JOB, ("todo", -1))
        assert 1 <= await queue.oldest_seconds() / 3600 < 2
        database.execute(ADD_JOB, ("todo", None))
        assert 1 <= await queue.oldest_seconds() / 3600 < 2
        database.execute("UPDATE procrastinate_events SET at = now() - make_interval(hours => 9)")
        assert 9 <= await queue.oldest_seconds() / 3600 < 10


def a_job(attempts: int) -> Job:
    return Job(id=1, queue="q", task_name="t", lock=None, queueing_lock=None, attempts=attempts)


@pytest.mark.parametrize("attempts", range(ATTEMPTS - 1))
def test_retries_wait_exponentially_longer_with_jitter(attempts: int) -> None:
    waits = set()
    for _ in range(50):
        before = datetime.now(UTC)
        decision = Backoff(100).get_retry_decision(exception=OSError(), job=a_job(attempts))
        assert decision
        assert decision.retry_at
        waits.add((decision.retry_at - before).total_seconds())
    longest = 100 * 2**attempts
    assert longest / 2 <= min(waits) < max(waits) <= longest + 1
    assert len(waits) == 50


def test_the_wait_and_the_number_of_retries_are_limited() -> None:
    decision = Backoff(1e9).get_retry_decision(exception=OSError(), job=a_job(0))
    assert decision
    assert decision.retry_at
    assert (decision.retry_at - datetime.now(UTC)).total_seconds() <= LONGEST_WAIT
    last = a_job(ATTEMPTS - 1)
    assert Backoff(1).get_retry_decision(exception=OSError(), job=last) is None


async def test_invalid_arguments_are_retried_and_not_logged() -> None:
    @validated
    async def job(number: int) -> int:
        return number

    with pytest.raises(ValidationError) as caught:
        await job("hunter2")  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)
    assert Backoff(1).get_retry_decision(exception=caught.value, job=a_job(0))


def test_migrations_create_the_schema_of_procrastinate(
    environment: dict[str, str], database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(SchemaManager.get_schema())
        needed = connection.execute(SCHEMA).fetchall()
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        assert sorted(connection.execute(SCHEMA).fetchall()) == sorted(needed)


async def test_a_worker_is_notified_of_new_jobs(
    settings: Settings, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PAUSE_SECONDS", 3600)
    started = asyncio.Event()

    def add_tasks(tasks: Tasks) -> None:
        @tasks.add("start")
        async def start() -> None:
            started.set()

    async with open_database(settings, "test") as opened:
        queue = JobQueue(opened.pool)
        running = asyncio.create_task(loop.run_jobs(settings, queue, [add_tasks]))
        await asyncio.to_thread(until, lambda: database.execute(LISTENING).fetchone() == (1,))
        async with asyncio.timeout(TIMEOUT):
            while not started.is_set():  # The worker may not be idle yet.
                async with opened.pool.connection() as connection:
                    await defer(connection, "start")
                with suppress(TimeoutError):
                    await asyncio.wait_for(started.wait(), 1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.usefixtures("failing_and_slow_jobs")
def test_failed_jobs_are_listed_retried_and_discarded(
    environment: dict[str, str], service: Service, worker: Worker, database: psycopg.Connection
) -> None:
    retried, discarded = place_order(service, "poison"), place_order(service, "poison")
    until(lambda: worker.metric('jobs{status="failed"}') == 2)
    listed = [json.loads(line) for line in run(environment, "jobs").stdout.splitlines()]
    by_order = {line["arguments"]["order_id"]: line["id"] for line in listed}
    assert by_order.keys() == {str(retried), str(discarded)}
    assert {(line["task"], line["attempts"]) for line in listed} == {("fulfil", ATTEMPTS)}

    assert run(environment, "jobs", "discard", str(by_order[str(discarded)])).returncode == 0
    database.execute("UPDATE orders SET item = 'tea' WHERE item = 'poison'")
    assert run(environment, "jobs", "retry", "all").returncode == 0
    worker.wait_for("job", outcome="done", task="fulfil")
    assert (order_status(service, retried), order_status(service, discarded)) == (
        "fulfilled",
        "placed",
    )
    assert run(environment, "jobs", "list").stdout == ""


def test_only_failed_jobs_can_be_retried_or_discarded(
    environment: dict[str, str], service: Service, database: psycopg.Connection
) -> None:
    place_order(service)
    found = database.execute("SELECT id::text FROM procrastinate_jobs").fetchone()
    assert found
    for action in ("retry", "discard"):
        done = run(environment, "jobs", action, found[0])
        assert done.returncode == 2
        assert json.loads(done.stdout)["event"] == "failed job not found"
    assert len(jobs(database)) == 1


@pytest.mark.parametrize("given", ["0", "-1", "x", "1.5", "9" * 19])
def test_an_invalid_job_number_is_a_usage_error(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ArgumentParser()
    add_options(options)
    with pytest.raises(SystemExit, match="2"):
        options.parse_args(["retry", "--", given])
    assert "not the id of a job" in capsys.readouterr().err
