"""The real worker process: what it does, what it survives, and how it stops."""

import json
import signal
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from ...support.job_fixtures import Worker, effects, held, place, status
from ...support.proxy import Proxy
from ...support.service import Service, run, until
from ..test_database_rotation import drop_connections

ADD_JOB = "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', %s, %s)"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def begin_slow_job(service: Service, database: psycopg.Connection) -> None:
    """Place an order whose job begins and then waits."""
    place(service, "slow")
    until(lambda: database.execute(WAITING).fetchone() == (1,))


def test_it_fulfils_orders_and_tells_of_itself(shared: Service, worker: Worker) -> None:
    order_id = place(shared)
    line = worker.wait_for("job", outcome="done", task="fulfil", attempt=1)
    assert line["duration_ms"] > 0
    assert status(shared, order_id) == "fulfilled"
    for path in ("/livez", "/readyz", "/version"):
        assert worker.get(path).status_code == 200
    assert worker.metric('job_duration_seconds_count{outcome="done",task="fulfil"}') == 1
    assert worker.metric('jobs{status="todo"}') == 0


def test_it_stops_with_status_0(worker: Worker) -> None:
    worker.terminate()
    assert worker.wait() == 0
    assert worker.stderr() == b""
    events = [json.loads(line)["event"] for line in worker.lines]
    assert events == ["listening", "draining", "stopped"]


@pytest.mark.usefixtures("obstacles")
def test_a_job_that_is_begun_is_finished_before_the_end(
    shared: Service, worker: Worker, database: psycopg.Connection
) -> None:
    with held(database):
        begin_slow_job(shared, database)
        worker.terminate()
        worker.wait_for("draining")
        later = place(shared)
        assert worker.get("/livez").status_code == 200
        assert worker.get("/readyz").status_code == 503
    assert worker.wait() == 0
    assert len(effects(database)) == 1
    assert status(shared, later) == "placed"


@pytest.mark.usefixtures("obstacles")
def test_a_job_that_takes_too_long_is_given_back(
    environment: dict[str, str], shared: Service, database: psycopg.Connection
) -> None:
    with Worker(environment | {"SHUTDOWN_SECONDS": "4"}) as worker, held(database):
        begin_slow_job(shared, database)
        worker.terminate()
        worker.wait_for("job", outcome="given back")
        assert worker.wait() == 0
    with Worker(environment) as other:
        other.wait_for("job", outcome="done", attempt=2)
    assert len(effects(database)) == 1


@pytest.mark.usefixtures("obstacles")
def test_a_second_signal_ends_it_at_once(
    shared: Service, worker: Worker, database: psycopg.Connection
) -> None:
    with held(database):
        begin_slow_job(shared, database)
        worker.terminate()
        worker.wait_for("draining")
        worker.process.send_signal(signal.SIGINT)
        assert worker.wait() == 128 + signal.SIGINT


@pytest.mark.usefixtures("obstacles")
def test_the_job_of_a_killed_worker_is_taken_over(
    environment: dict[str, str], shared: Service, database: psycopg.Connection
) -> None:
    leased = environment | {"JOB_LEASE_SECONDS": "1"}
    with Worker(leased) as killed, held(database):
        begin_slow_job(shared, database)
        killed.process.kill()
        killed.wait()
    with Worker(leased) as heir:
        heir.wait_for("job", outcome="done", attempt=2)
    assert len(effects(database)) == 1


@pytest.mark.usefixtures("obstacles")
def test_poison_is_kept_as_failed_and_hurts_nobody(
    environment: dict[str, str], shared: Service, database: psycopg.Connection
) -> None:
    database.execute(ADD_JOB, ("nobody-knows", "{}"))
    for arguments in ("{}", '{"order_id": "hunter2"}', '{"order": 1}', "[]", "null"):
        database.execute(ADD_JOB, ("fulfil", arguments))
    place(shared, "poison")
    with Worker(environment | {"JOB_SECONDS": "0.1"}) as worker, held(database):
        begin_slow_job(shared, database)
        good = {place(shared) for _ in range(10)}
        until(lambda: good == set(effects(database)))
        until(lambda: worker.metric('jobs{status="failed"}') == 8)
        assert worker.metric('jobs{status="todo"}') == worker.metric('jobs{status="doing"}') == 0
        assert worker.get("/readyz").status_code == 200
        worker.terminate()
        assert worker.wait() == 0
    said = b"".join(worker.lines)
    assert b"nobody-knows" in said
    assert b"hunter2" not in said


def test_a_tick_of_the_schedule_is_run_once_however_many_workers_there_are(
    environment: dict[str, str],
) -> None:
    each_second = environment | {"CLEANUP_SCHEDULE": "* * * * * *"}
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(each_second)) for _ in range(3)]
        until(lambda: sum(b"cleaned up" in line for w in workers for line in w.lines) >= 4)
        for worker in workers:
            worker.terminate()
            worker.wait()
    lines = [json.loads(line) for worker in workers for line in worker.lines]
    ticks = [line["placed_before"] for line in lines if line["event"] == "cleaned up"]
    assert len(ticks) == len(set(ticks))


def test_a_schedule_that_is_none_is_named(environment: dict[str, str]) -> None:
    done = run(environment | {"CLEANUP_SCHEDULE": "at dawn"}, "worker")
    assert done.returncode == 78
    assert json.loads(done.stdout)["problems"].keys() == {"CLEANUP_SCHEDULE"}


def assert_at_work(worker: Worker, service: Service) -> None:
    until(lambda: worker.get("/readyz").status_code == 200)
    place(service)
    worker.wait_for("job", outcome="done")


def test_a_database_that_is_down_at_the_start(
    shared: Service, database_proxy: Proxy, environment: dict[str, str]
) -> None:
    database_proxy.cut()
    with Worker(environment) as worker:
        worker.wait_for("takes no jobs")
        assert worker.get("/livez").status_code == 200
        assert worker.get("/readyz").status_code == 503
        database_proxy.open()
        assert_at_work(worker, shared)


def test_a_database_that_dies_and_comes_back(
    shared: Service, database_proxy: Proxy, environment: dict[str, str]
) -> None:
    with Worker(environment) as worker:
        assert_at_work(worker, shared)
        assert 'jobs{status="todo"}' in worker.get("/metrics").text
        database_proxy.cut()
        worker.wait_for("takes no jobs")
        assert worker.get("/livez").status_code == 200
        assert worker.get("/readyz").status_code == 503
        assert 'jobs{status="todo"}' not in worker.get("/metrics").text
        database_proxy.open()
        assert_at_work(worker, shared)


def test_a_database_that_freezes_and_goes_on(
    shared: Service, database_proxy: Proxy, environment: dict[str, str]
) -> None:
    with Worker(environment) as worker:
        assert_at_work(worker, shared)
        database_proxy.freeze()
        worker.wait_for("takes no jobs")
        assert worker.get("/livez").status_code == 200
        assert worker.get("/readyz").status_code == 503
        database_proxy.thaw()
        assert_at_work(worker, shared)


def test_new_connections_lead_to_where_the_file_of_the_database_says(
    environment: dict[str, str], other_database: str, tmp_path: Path
) -> None:
    other = environment | {"DATABASE_URL": other_database}
    file = tmp_path / "database_url"
    first = environment.pop("DATABASE_URL")
    file.write_text(first)
    with Worker(environment | {"DATABASE_URL_FILE": str(file)}) as worker, Service(other) as web:
        until(lambda: worker.get("/readyz").status_code == 200)
        file.write_text(other_database)
        drop_connections(first)
        place(web)
        worker.wait_for("job", outcome="done")
