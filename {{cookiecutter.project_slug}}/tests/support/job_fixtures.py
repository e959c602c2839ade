"""Workers, and orders whose jobs fail or block."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE

from .service import Service, fetch, free_ports

TRIGGER = """
CREATE TABLE fulfilments (order_id uuid);
CREATE FUNCTION hook() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO fulfilments VALUES (NEW.id);
    IF NEW.item = 'poison' THEN RAISE 'poison'; END IF;
    IF NEW.item = 'slow' THEN
        PERFORM set_config('lock_timeout', '0', true);
        PERFORM pg_advisory_xact_lock(42);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hook BEFORE UPDATE OF status ON orders FOR EACH ROW EXECUTE FUNCTION hook();
"""


class Worker(Service):
    """A running worker process; its port of metrics serves its health too."""

    command = "worker"

    def __init__(self, environment: Mapping[str, str]) -> None:
        variables = {**environment, **free_ports(), "JOB_RETRY_SECONDS": "0.01"}
        super().__init__(variables)
        self.url = f"http://127.0.0.1:{variables['METRICS_PORT']}"

    def metric(self, name: str) -> float:
        """Return the value of a series, given by its name and labels."""
        lines = self.get("/metrics").text.splitlines()
        (value,) = (line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} "))
        return float(value)


@pytest.fixture
def worker(environment: dict[str, str]) -> Iterator[Worker]:
    with Worker(environment) as worker:
        yield worker


@pytest.fixture
def database(environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Yield a connection in autocommit mode."""
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def failing_and_slow_jobs(database: psycopg.Connection) -> Iterator[None]:
    """Let jobs of the item `poison` fail, and those of `slow` wait in `blocked_jobs`."""
    database.execute(TRIGGER)
    yield
    database.execute("DROP FUNCTION hook CASCADE; DROP TABLE fulfilments")


@contextmanager
def blocked_jobs(database: psycopg.Connection) -> Iterator[None]:
    """Block the jobs of slow orders."""
    database.execute("SELECT pg_advisory_lock(42)")
    try:
        yield
    finally:
        database.execute("SELECT pg_advisory_unlock(42)")


def fulfilments(database: psycopg.Connection) -> list[UUID]:
    """Return the order of each attempt that was committed."""
    rows = database.execute("SELECT order_id FROM fulfilments").fetchall()
    return [order_id for (order_id,) in rows]


def place_order(service: Service, item: str = "tea") -> UUID:
    """Place an order and return its id."""
    response = fetch(f"{service.url}/orders", "POST", json=EXAMPLE | {"item": item})
    assert response.status_code == 201
    return UUID(response.json()["id"])


def order_status(service: Service, order_id: UUID) -> str:
    """Return the status of an order."""
    return str(service.get(f"/orders/{order_id}").json()["status"])
