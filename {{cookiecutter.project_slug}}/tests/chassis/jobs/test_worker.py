"""The worker process: jobs, shutdown, failed jobs, periodic tasks."""

import json
import signal
from contextlib import ExitStack

import psycopg
import pytest

from {{ cookiecutter.package_name }}.chassis.jobs.tasks import ATTEMPTS

from ...support.job_fixtures import (
    Worker,
    blocked_jobs,
    fulfilments,
    order_status,
    place_order,
)
from ...support.service import Service, assert_second_signal_stops, run, until

ADD_JOB = "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', %s, %s)"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def begin_slow_job(service: Service, database: psycopg.Connection) -> None:
    """Place an order and wait until its job is running and blocked."""
    place_order(service, "slow")
    until(lambda: database.execute(WAITING).fetchone() == (1,))


def test_an_order_is_fulfilled_logged_and_counted(
    environment: dict[str, str], service: Service
) -> None:
    order_id = place_order(service)
    assert order_status(service, order_id) == "placed"
    with Worker(environment) as worker:
        line = worker.wait_for("job", outcome="done", task="fulfil", attempt=1)
        assert line["duration_ms"] > 0
        assert order_status(service, order_id) == "fulfilled"
        for path in ("/livez", "/readyz", "/version"):
            assert worker.get(path).status_code == 200
        assert worker.metric('job_duration_seconds_count{outcome="done",task="fulfil"}') == 1
        # The missed tick of the schedule is a job as well, which may not have begun yet.
        until(lambda: worker.metric('jobs{status="todo"}') == 0)
        until(lambda: worker.metric("jobs_oldest_seconds") == 0)


def test_a_tick_that_was_missed_during_an_outage_runs_late_and_once(
    environment: dict[str, str], service: Service
) -> None:
    yearly = environment | {"CLEANUP_SCHEDULE": "0 0 1 1 *"}
    with Worker(yearly) as worker:
        worker.wait_for("job", outcome="done", task="cleanup")
    with Worker(yearly) as worker:
        place_order(service)
        assert worker.wait_for("job")["task"] == "fulfil"


@pytest.mark.usefixtures("failing_and_slow_jobs")
def test_a_running_job_is_finished_on_shutdown(
    service: Service, worker: Worker, database: psycopg.Connection
) -> None:
    with blocked_jobs(database):
        begin_slow_job(service, database)
        worker.terminate()
        worker.wait_for("draining")
        later = place_order(service)
        assert worker.get("/livez").status_code == 200
        assert worker.get("/readyz").status_code == 503
    assert worker.wait() == 0
    assert len(fulfilments(database)) == 1
    assert order_status(service, later) == "placed"


@pytest.mark.usefixtures("failing_and_slow_jobs")
def test_a_job_that_outlasts_the_shutdown_is_released(
    environment: dict[str, str], service: Service, database: psycopg.Connection
) -> None:
    with Worker(environment | {"SHUTDOWN_SECONDS": "4"}) as worker, blocked_jobs(database):
        begin_slow_job(service, database)
        worker.terminate()
        worker.wait_for("job", outcome="released")
        assert worker.wait() == 0
    with Worker(environment) as other:
        other.wait_for("job", outcome="done", attempt=2)
    assert len(fulfilments(database)) == 1


@pytest.mark.usefixtures("failing_and_slow_jobs")
def test_a_second_signal_ends_the_worker_at_once(
    service: Service, worker: Worker, database: psycopg.Connection
) -> None:
    with blocked_jobs(database):
        begin_slow_job(service, database)
        assert_second_signal_stops(worker, signal.SIGINT)


@pytest.mark.usefixtures("failing_and_slow_jobs")
def test_failing_jobs_are_kept_and_do_not_affect_others(
    environment: dict[str, str], service: Service, database: psycopg.Connection
) -> None:
    database.execute(ADD_JOB, ("unknown", "{}"))
    for arguments in ("{}", '{"order_id": "hunter2"}', '{"order": 1}', "[]", "null"):
        database.execute(ADD_JOB, ("fulfil", arguments))
    place_order(service, "poison")
    with Worker(environment | {"JOB_SECONDS": "0.1"}) as worker, blocked_jobs(database):
        begin_slow_job(service, database)
        others = {place_order(service) for _ in range(10)}
        until(lambda: others == set(fulfilments(database)))
        until(lambda: worker.metric('jobs{status="failed"}') == 8)
        assert worker.metric('jobs{status="todo"}') == worker.metric('jobs{status="doing"}') == 0
        assert worker.get("/readyz").status_code == 200
        worker.terminate()
        assert worker.wait() == 0
    output = b"".join(worker.lines)
    unknown = [line for line in worker.lines if json.loads(line).get("task") == "unknown"]
    assert len(unknown) == ATTEMPTS  # A worker of a newer release may know the task.
    assert b"hunter2" not in output


def test_several_workers_run_a_periodic_task_once_per_tick(
    environment: dict[str, str],
) -> None:
    each_second = environment | {"CLEANUP_SCHEDULE": "* * * * * *"}
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(each_second)) for _ in range(3)]
        until(lambda: sum(b"old orders deleted" in line for w in workers for line in w.lines) >= 4)
        for worker in workers:
            worker.terminate()
            worker.wait()
    lines = [json.loads(line) for worker in workers for line in worker.lines]
    ticks = [line["placed_before"] for line in lines if line["event"] == "old orders deleted"]
    assert len(ticks) == len(set(ticks))


def test_an_invalid_schedule_is_reported(environment: dict[str, str]) -> None:
    done = run(environment | {"CLEANUP_SCHEDULE": "at dawn"}, "worker")
    assert done.returncode == 78
    assert json.loads(done.stdout)["problems"].keys() == {"CLEANUP_SCHEDULE"}
