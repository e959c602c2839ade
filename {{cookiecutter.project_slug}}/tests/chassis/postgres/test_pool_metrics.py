"""Metrics of the connection pool, and of a request that waits for its body."""

import asyncio

from prometheus_client import REGISTRY

from {{ cookiecutter.package_name }}.chassis.postgres.database import open_database
from {{ cookiecutter.package_name }}.chassis.postgres.pool_metrics import measure_pool
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import Service, connect, fetch, until

UNFINISHED = (
    b"POST /orders HTTP/1.1\r\nHost: service\r\n"
    b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
)


def connections() -> tuple[float | None, ...]:
    """Return the connections in use, the idle ones, the most, and the waiting requests."""
    names = ("max", "pending_requests")
    return (
        *(
            REGISTRY.get_sample_value("db_client_connection_count", {"state": state})
            for state in ("used", "idle")
        ),
        *(REGISTRY.get_sample_value(f"db_client_connection_{name}") for name in names),
    )


async def test_connections_and_waiting_requests_are_measured(settings: Settings) -> None:
    smallest = settings.model_copy(update={"database_pool_size": 1})
    async with open_database(smallest, "test") as opened:
        measure_pool(opened.pool)
        async with opened.pool.connection() as connection:
            assert connections() == (1, 0, 1, 0)
            waiting = asyncio.create_task(opened.pool.connection().__aenter__())
            await connection.execute("SELECT 1")  # Meanwhile the task begins to wait.
            assert connections() == (1, 0, 1, 1)
            waiting.cancel()
            await asyncio.wait([waiting])
        assert connections() == (0, 1, 1, 0)


def test_a_request_in_flight_is_counted(service: Service) -> None:
    def metrics() -> list[str]:
        return fetch(service.metrics_url).text.splitlines()

    with connect(service, UNFINISHED):
        until(lambda: "http_server_active_requests 1.0" in metrics())
    until(lambda: "http_server_active_requests 0.0" in metrics())
    until(lambda: 'db_client_connection_count{state="used"} 0.0' in metrics())
