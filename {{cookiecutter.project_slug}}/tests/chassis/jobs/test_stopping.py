"""In whatever state SIGTERM finds the worker, it leaves well; a second one ends it at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from ...support.job_fixtures import Worker, held, place
from ...support.proxy import Proxy
from ...support.service import Service, until
from ..test_stopping import STATES, assert_ends_at_once, assert_leaves_well, connections

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def at_work(shared: Service, worker: Worker) -> Worker:
    """Return a worker that has done a job."""
    place(shared)
    worker.wait_for("job", outcome="done")
    return worker


@contextmanager
def busy(service: Service, database: psycopg.Connection) -> Iterator[None]:
    """Keep a worker busy with one job."""
    with held(database):
        place(service, "slow")
        until(lambda: database.execute(WAITING).fetchone() == (1,))
        yield


@pytest.mark.parametrize("state", STATES)
def test_it_leaves_well(at_work: Worker, state: str) -> None:
    with connections(at_work, STATES[state]):
        assert_leaves_well(at_work)


@pytest.mark.usefixtures("obstacles")
@pytest.mark.parametrize("state", STATES)
def test_a_second_signal_ends_it_at_once(
    shared: Service, worker: Worker, database: psycopg.Connection, state: str
) -> None:
    with busy(shared, database), connections(worker, STATES[state]):
        assert_ends_at_once(worker)


@pytest.mark.parametrize("outage", [Proxy.cut, Proxy.freeze])
def test_an_outage_does_not_keep_the_process(
    shared: Service,
    database_proxy: Proxy,
    environment: dict[str, str],
    outage: Callable[[Proxy], None],
) -> None:
    with Worker(environment | {"SHUTDOWN_SECONDS": "2"}) as worker:
        place(shared)
        worker.wait_for("job", outcome="done")
        outage(database_proxy)
        assert_leaves_well(worker)


@pytest.mark.usefixtures("shared")  # Before the way to the database is one that can be cut.
@pytest.mark.parametrize("outage", [Proxy.cut, Proxy.freeze])
def test_in_an_outage_a_second_signal_ends_it_at_once(
    database_proxy: Proxy, at_work: Worker, outage: Callable[[Proxy], None]
) -> None:
    outage(database_proxy)
    at_work.terminate()
    at_work.wait_for("draining")
    at_work.terminate()
    assert at_work.wait() in (0, 128 + signal.SIGTERM)
    assert at_work.stderr() == b""
