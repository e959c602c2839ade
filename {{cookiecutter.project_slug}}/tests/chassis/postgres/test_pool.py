"""The connection pool: saturation, cancelled requests, shutdown while a query is blocked."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager

import psycopg
import pytest

from {{ cookiecutter.package_name }}.chassis.postgres.pool import Pool, open_pool
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import Service, assert_stops, connect, read_all, until

GET = b"GET /orders HTTP/1.1\r\nHost: service\r\n\r\n"
SIZE = 5
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass AND NOT granted"


@pytest.fixture
def small_pool(environment: dict[str, str]) -> None:
    environment["DATABASE_POOL_SIZE"] = str(SIZE)


@contextmanager
def locked(environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Lock the table of orders; yield the connection that holds the lock."""
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        yield connection


def assert_serves(service: Service) -> None:
    """Check that as many concurrent requests as connections succeed."""
    with ThreadPoolExecutor(SIZE) as threads:
        responses = threads.map(service.get, ["/orders"] * 50)
        assert {response.status_code for response in responses} == {200}


async def assert_no_connection_is_lost(pool: Pool) -> None:
    """Use all connections of the pool at the same time."""
    async with AsyncExitStack() as stack:
        for _ in range(SIZE):
            connection = await stack.enter_async_context(pool.connection())
            await connection.execute("SELECT 1")


@pytest.mark.usefixtures("small_pool")
def test_a_saturated_pool_does_not_affect_health_and_recovers(
    environment: dict[str, str], service: Service
) -> None:
    with ThreadPoolExecutor(50) as threads, locked(environment) as lock:
        requests = [threads.submit(service.get, "/orders") for _ in range(50)]
        until(lambda: lock.execute(WAITING).fetchone() == (SIZE,))
        assert service.get("/livez").status_code == 200
        assert service.get("/readyz").status_code == 200
        assert {response.result().status_code for response in requests} == {503}
        lock.rollback()
        assert_serves(service)


@pytest.mark.usefixtures("small_pool")
def test_a_client_disconnect_cancels_the_query_and_releases_its_connection(
    environment: dict[str, str], service: Service
) -> None:
    with locked(environment) as lock:
        clients = [connect(service, GET) for _ in range(SIZE)]
        until(lambda: lock.execute(WAITING).fetchone() == (SIZE,))
        for client in clients:
            client.close()
        for _ in range(SIZE):
            assert service.wait_for("request")["status"] == 499
        assert lock.execute(WAITING).fetchone() == (0,)
    assert_serves(service)


def test_a_blocked_query_does_not_delay_the_exit(
    environment: dict[str, str], service: Service
) -> None:
    with locked(environment) as lock, connect(service, GET) as client:
        until(lambda: lock.execute(WAITING).fetchone() == (1,))
        assert_stops(service)
        assert read_all(client).startswith(b"HTTP/1.1 503 ")


async def test_a_cancelled_task_releases_its_connection(settings: Settings) -> None:
    async with open_pool(settings, "test", fewest=1, most=SIZE) as pool:

        async def wait(seconds: int) -> None:
            async with pool.connection() as connection, connection.transaction():
                await connection.execute("SELECT pg_sleep(%s)", (seconds,))

        for _ in range(10):
            tasks = [asyncio.create_task(wait(60)) for _ in range(3 * SIZE)]
            for task in tasks:
                await asyncio.wait([task], timeout=0.002)
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await assert_no_connection_is_lost(pool)
