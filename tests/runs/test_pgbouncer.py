"""A service with PgBouncer in transaction mode in front of its database."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import httpx
import psycopg
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import TIMEOUT_SECONDS, Installed, Web, Worker, install, until
from tests.support.servers import PgBouncer, PostgresServer, postgres_server

pytestmark = pytest.mark.slow

MIGRATION_LOCK = int.from_bytes(b"migrate")
REQUESTS = 200
LEFT = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(worker=True))


@pytest.fixture(scope="module")
def postgres(service: Installed) -> Iterator[PostgresServer]:
    with postgres_server(service) as server:
        yield server


@pytest.fixture(scope="module")
def pooler(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PgBouncer]:
    pooler = PgBouncer(tmp_path_factory.mktemp("pgbouncer"), postgres)
    yield pooler
    pooler.kill()


@pytest.fixture
def web(service: Installed, pooler: PgBouncer) -> Iterator[Web]:
    with Web(service, database_url=pooler.url, database_pool_size=20, drain_seconds=0) as web:
        yield web


def test_requests_of_more_clients_than_server_connections_succeed(web: Web) -> None:
    def place_twice(number: int) -> list[tuple[int, str]]:
        order, key = {"item": "tea", "quantity": 1}, {"Idempotency-Key": f"key-{number}"}
        responses = [client.post("/orders", json=order, headers=key) for _ in range(2)]
        responses.append(client.get(responses[0].headers.get("location", "/none")))
        return [(response.status_code, response.json().get("id")) for response in responses]

    with httpx.Client(base_url=web.url, timeout=TIMEOUT_SECONDS) as client:
        with ThreadPoolExecutor(20) as threads:
            placed = list(threads.map(place_twice, range(REQUESTS)))
        assert {tuple(status for status, _ in three) for three in placed} == {(201, 201, 200)}
        assert {len({order_id for _, order_id in three}) for three in placed} == {1}
        assert len({three[0] for three in placed}) == REQUESTS
        assert client.get("/orders").status_code == client.get("/readyz").status_code == 200
    assert web.stop() == 0


def test_concurrent_migrations_wait_for_each_other_and_leave_no_lock(
    service: Installed, postgres: PostgresServer, pooler: PgBouncer
) -> None:
    environment = service.environment(database_url=pooler.empty_url)
    with psycopg.connect(postgres.url, autocommit=True) as connection, ExitStack() as stack:
        connection.execute("CREATE DATABASE empty")
        with psycopg.connect(postgres.url, dbname="empty") as first:
            first.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            running = [
                stack.enter_context(
                    subprocess.Popen(
                        [service.python, "-m", service.package, "migrate"],
                        env=environment,
                        stdout=subprocess.PIPE,
                        text=True,
                    )
                )
                for _ in range(2)
            ]
            # Each has a connection for the lock and one for its statements.
            until(lambda: pooler.clients("empty") == 4)
        outputs = [process.communicate(timeout=TIMEOUT_SECONDS)[0] for process in running]
        assert [process.returncode for process in running] == [0, 0], outputs
        assert sorted("Running upgrade" in output for output in outputs) == [False, True]
        assert connection.execute(LEFT).fetchone() == (0,)


def is_fulfilled(web: Web, path: str) -> bool:
    return bool(web.get(path).json()["status"] == "fulfilled")


def test_a_worker_runs_jobs_without_notifications(
    service: Installed, pooler: PgBouncer, web: Web
) -> None:
    with Worker(service, database_url=pooler.url) as worker:
        for _ in range(10):
            path = web.place("tea").headers["location"]
            until(partial(is_fulfilled, web, path))
        assert worker.stop() == 0
        assert {line["level"] for line in worker.lines} == {"info"}


@pytest.mark.parametrize("outage", ["pooler killed", "pooler frozen", "database killed"])
def test_processes_survive_an_outage(
    service: Installed, postgres: PostgresServer, pooler: PgBouncer, web: Web, outage: str
) -> None:
    stop, resume = {
        "pooler killed": (pooler.kill, pooler.start),
        "pooler frozen": (pooler.freeze, pooler.thaw),
        "database killed": (postgres.kill, postgres.start),
    }[outage]
    with Worker(service, database_url=pooler.url) as worker:
        placed = web.place("tea")
        worker.wait_for("job", outcome="done", task="fulfil")
        stop()
        try:
            worker.wait_for("job fetch failed")
            for process in (web, worker):
                assert process.get("/livez").status_code == 200
                assert process.get("/readyz").status_code == 503
            assert web.place("tea").status_code == web.get("/orders").status_code == 503
        finally:
            resume()
        web.wait_until_ready()
        worker.wait_until_ready()
        assert web.get(placed.headers["location"]).json()["id"] == placed.json()["id"]
        until(lambda: web.place("tea").status_code == 201)
        worker.wait_for("job", outcome="done", task="fulfil")
