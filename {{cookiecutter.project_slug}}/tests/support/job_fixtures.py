"""Workers for the tests, and jobs that go as a test needs them to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from .service import Service, fetch, free_ports

OBSTACLES = """
CREATE TABLE effects (order_id uuid);
CREATE FUNCTION obstruct() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO effects VALUES (NEW.id);
    IF NEW.item = 'poison' THEN RAISE 'poison'; END IF;
    IF NEW.item = 'slow' THEN
        PERFORM set_config('lock_timeout', '0', true);
        PERFORM pg_advisory_xact_lock(42);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER obstruct BEFORE UPDATE OF status ON orders FOR EACH ROW EXECUTE FUNCTION obstruct();
"""


class Worker(Service):
    """A running worker process, asked on a port of its own, that of its metrics."""

    command = "worker"

    def __init__(self, environment: Mapping[str, str]) -> None:
        variables = {**environment, **free_ports(), "JOB_RETRY_SECONDS": "0.01"}
        super().__init__(variables)
        self.url = f"http://127.0.0.1:{variables['METRICS_PORT']}"

    def metric(self, name: str) -> float:
        """Return the value of the series of this name and these labels."""
        lines = self.get("/metrics").text.splitlines()
        (value,) = (line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} "))
        return float(value)


@pytest.fixture(autouse=True)
def empty_queue(attached_database: None, environment: dict[str, str]) -> None:
    del attached_database
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture
def worker(environment: dict[str, str]) -> Iterator[Worker]:
    with Worker(environment) as worker:
        yield worker


@pytest.fixture
def database(environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Yield a connection of the test's own, in autocommit mode."""
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def obstacles(database: psycopg.Connection) -> Iterator[None]:
    """Let the job of an order of poison fail, and a slow one wait for whoever holds `held`."""
    database.execute(OBSTACLES)
    yield
    database.execute("DROP FUNCTION obstruct CASCADE; DROP TABLE effects")


@contextmanager
def held(database: psycopg.Connection) -> Iterator[None]:
    """Keep slow jobs from ending."""
    database.execute("SELECT pg_advisory_lock(42)")
    try:
        yield
    finally:
        database.execute("SELECT pg_advisory_unlock(42)")


def effects(database: psycopg.Connection) -> list[UUID]:
    """Return the orders that were fulfilled, as often as they were."""
    return [order_id for (order_id,) in database.execute("SELECT order_id FROM effects").fetchall()]


def place(service: Service, item: str = "tea") -> UUID:
    """Place an order and return its id."""
    answer = fetch(f"{service.url}/orders", "POST", json={"item": item, "quantity": 1})
    assert answer.status_code == 201
    return UUID(answer.json()["id"])


def status(service: Service, order_id: UUID) -> str:
    """Return how far an order has come."""
    return str(service.get(f"/orders/{order_id}").json()["status"])
