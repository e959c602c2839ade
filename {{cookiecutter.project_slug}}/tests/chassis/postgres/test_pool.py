"""Connections to PostgreSQL: none is lost, and a process whose pool is busy goes on."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager

import psycopg
import pytest

from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.postgres.pool import Pool, WarningInterval, open_pool
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import (
    Service,
    assert_second_signal_stops,
    assert_stops,
    connect,
    read_all,
    until,
)

BODY = b'{"item": "tea", "quantity": 1}'
ORDER = (
    b"POST /orders HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
GET = b"GET /orders HTTP/1.1\r\nHost: service\r\n\r\n"
SIZE = 5
WAITING = """
SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass AND NOT granted
"""
NAME = "small-pool"
CONNECTIONS = "SELECT state FROM pg_stat_activity WHERE application_name = %s"


@pytest.fixture
def small_pool(environment: dict[str, str]) -> None:
    environment["DATABASE_POOL_SIZE"] = str(SIZE)
    environment["OTEL_SERVICE_NAME"] = NAME


@contextmanager
def locked(environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Keep everybody from the table of orders; yield the connection that does."""
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        yield connection


async def assert_all_there(pool: Pool) -> None:
    """Take every connection of the pool at once, and use it."""
    async with AsyncExitStack() as stack:
        for _ in range(SIZE):
            connection = await stack.enter_async_context(pool.connection())
            await connection.execute("SELECT 1")


@pytest.mark.usefixtures("small_pool")
def test_more_requests_than_connections_are_all_answered_and_none_is_lost(
    environment: dict[str, str], service: Service
) -> None:
    with ThreadPoolExecutor(50) as threads, locked(environment) as lock:
        asked = [threads.submit(service.get, "/orders") for _ in range(50)]
        until(lambda: lock.execute(WAITING).fetchone() == (SIZE,))
        assert service.get("/livez").status_code == 200
        assert service.get("/readyz").status_code == 200
        assert {response.result().status_code for response in asked} == {503}
        lock.rollback()
        with ThreadPoolExecutor(SIZE) as again:
            responses = again.map(service.get, ["/orders"] * 50)
            assert {response.status_code for response in responses} == {200}
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        states = [state for (state,) in connection.execute(CONNECTIONS, [f"{NAME} web"])]
    assert set(states) == {"idle"}
    assert len(states) <= SIZE + 1


@pytest.mark.usefixtures("small_pool")
def test_clients_that_leave_take_no_connection_with_them(
    environment: dict[str, str], service: Service
) -> None:
    with ExitStack() as stack:
        lock = stack.enter_context(locked(environment))
        clients = [connect(service, ORDER) for _ in range(SIZE)]
        until(lambda: lock.execute(WAITING).fetchone() == (SIZE,))
        for client in clients:
            client.close()
        for _ in range(SIZE):
            assert service.wait_for("request")["status"] == 499
        assert lock.execute(WAITING).fetchone() == (0,)
    assert service.get("/orders").json()["items"] == []
    with ThreadPoolExecutor(SIZE) as threads:
        responses = threads.map(service.get, ["/orders"] * 50)
        assert {response.status_code for response in responses} == {200}


@pytest.mark.parametrize("stops", [assert_stops, assert_second_signal_stops])
def test_a_request_that_waits_for_a_lock_does_not_keep_the_process(
    environment: dict[str, str], stops: Callable[[Service], None]
) -> None:
    drain = "0" if stops is assert_stops else "300"
    with (
        locked(environment) as lock,
        Service(environment | {"DRAIN_SECONDS": drain}) as service,
        connect(service, GET) as client,
    ):
        until(lambda: lock.execute(WAITING).fetchone() == (1,))
        stops(service)
        if drain == "0":
            assert read_all(client).startswith(b"HTTP/1.1 503 ")


async def test_what_is_cancelled_gives_its_connection_back(settings: Settings) -> None:
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
            await assert_all_there(pool)


async def test_who_waits_for_a_busy_pool_is_told_in_time(settings: Settings) -> None:
    async with open_pool(settings, "test", fewest=1, most=1) as pool, pool.connection():
        with pytest.raises(Unavailable, match="PoolTimeout"):
            async with pool.connection():
                pass


def test_of_many_warnings_one_passes_and_errors_always_do() -> None:
    sparingly = WarningInterval(3600)
    warning, error = (logging.makeLogRecord({"levelno": level}) for level in (30, 40))
    passed = [sparingly.filter(record) for record in (warning, warning, error, warning)]
    assert passed == [True, False, True, False]
    filters = logging.getLogger("psycopg.pool").filters
    assert [type(one) for one in filters] == [WarningInterval]
