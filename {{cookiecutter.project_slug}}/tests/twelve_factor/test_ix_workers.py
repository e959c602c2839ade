"""IX. Disposability: a job runs once, also if its worker is stopped or killed."""

import signal

import psycopg
import pytest

from ..support.job_fixtures import Worker, blocked_jobs, fulfilments, order_status, place_order
from ..support.service import Service, until
from .report import Measure

LEASE = {"JOB_LEASE_SECONDS": "1"}
UNFINISHED = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"


@pytest.mark.usefixtures("failing_and_slow_jobs")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_jobs_survive_the_end_of_their_worker(
    service: Service,
    environment: dict[str, str],
    database: psycopg.Connection,
    ending: signal.Signals,
    measure: Measure,
) -> None:
    with blocked_jobs(database), Worker(environment | LEASE | {"SHUTDOWN_SECONDS": "2"}) as worker:
        orders = [place_order(service, item) for item in ["tea", "slow"] * 10]
        until(lambda: len(fulfilments(database)) >= 3)
        worker.process.send_signal(ending)
        worker.wait()
    with Worker(environment | LEASE):
        until(lambda: all(order_status(service, order) == "fulfilled" for order in orders))
        until(lambda: database.execute(UNFINISHED).fetchone() == (0,))
    completed = fulfilments(database)
    measure(f"completed in spite of a {ending.name}", len(orders), "jobs")
    measure("run twice", len(completed) - len(set(completed)), "jobs", at_most=0)
    assert set(completed) == set(orders)
