"""The worker process in outages of its database: health, recovery, shutdown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ...support.job_fixtures import Worker, place_order
from ...support.postgres_server import drop_connections
from ...support.service import Proxy, Service, assert_stops, until


def assert_processes_jobs(worker: Worker, service: Service) -> None:
    until(lambda: worker.get("/readyz").status_code == 200)
    place_order(service)
    worker.wait_for("job", outcome="done", task="fulfil")


def assert_unavailable(worker: Worker) -> None:
    worker.wait_for("job fetch failed")
    assert worker.get("/livez").status_code == 200
    assert worker.get("/readyz").status_code == 503
    metrics = worker.get("/metrics").text
    assert 'jobs{status="todo"}' not in metrics
    assert "jobs_oldest_seconds" not in metrics


def test_a_worker_survives_outages_at_start_and_at_run_time(
    service: Service, database_proxy: Proxy, environment: dict[str, str]
) -> None:
    database_proxy.cut()
    with Worker(environment) as worker:
        assert_unavailable(worker)
        database_proxy.open()
        assert_processes_jobs(worker, service)
        assert 'jobs{status="todo"}' in worker.get("/metrics").text
        for outage, end in (
            (database_proxy.cut, database_proxy.open),
            (database_proxy.freeze, database_proxy.thaw),
        ):
            outage()
            assert_unavailable(worker)
            end()
            assert_processes_jobs(worker, service)


def test_new_connections_use_a_rotated_url(
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
        place_order(web)
        worker.wait_for("job", outcome="done", task="fulfil")


@pytest.mark.parametrize("outage", [Proxy.cut, Proxy.freeze])
def test_an_outage_does_not_delay_the_exit(
    service: Service,
    database_proxy: Proxy,
    environment: dict[str, str],
    outage: Callable[[Proxy], None],
) -> None:
    with Worker(environment | {"SHUTDOWN_SECONDS": "2"}) as worker:
        assert_processes_jobs(worker, service)
        outage(database_proxy)
        assert_stops(worker)
