"""IX. Disposability: start quickly, stop gracefully, and survive a crash."""

import os
import signal
import statistics
import sys
import threading
from contextlib import suppress
from time import perf_counter

import httpx
import pytest

from ..support.service import (
    TIMEOUT,
    Service,
    assert_second_signal_stops,
    assert_stops,
    connect,
    free_ports,
    read_all,
    started,
    until,
)
from . import project
from .report import Measure

DRAIN_SECONDS, SHUTDOWN_SECONDS = 1, 3
INCOMPLETE_HEADERS = b"GET /livez HTTP/1.1\r\nHost: service\r\n"


@pytest.fixture
def timeouts(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment with a short drain and a short shutdown timeout."""
    times = {"DRAIN_SECONDS": str(DRAIN_SECONDS), "SHUTDOWN_SECONDS": str(SHUTDOWN_SECONDS)}
    return environment | times


@pytest.fixture
def no_drain(timeouts: dict[str, str]) -> dict[str, str]:
    """Return an environment without a drain and with a short shutdown timeout."""
    return timeouts | {"DRAIN_SECONDS": "0"}


def test_the_service_is_ready_soon(environment: dict[str, str], measure: Measure) -> None:
    seconds = []
    for _ in range(5):
        start = perf_counter()
        with Service(environment | free_ports()) as service:
            until(lambda: service.get("/readyz").status_code == 200)
            seconds.append(perf_counter() - start)
    measure("start to ready", statistics.median(seconds), "s", at_most=project.READY_SECONDS)


class Client(threading.Thread):
    """Sends requests for as long as `/readyz` returns 200, like a load balancer."""

    def __init__(self, service: Service, *, keep_alive: bool) -> None:
        super().__init__()
        self.sent = self.failed = 0
        limits = httpx.Limits(max_keepalive_connections=None if keep_alive else 0)
        self._client = httpx.Client(base_url=service.url, timeout=TIMEOUT, limits=limits)

    def run(self) -> None:
        try:
            while self._client.get("/readyz").status_code == 200:
                self.sent += 1
                self.failed += self._client.get("/version").status_code != 200
        except httpx.HTTPError:
            self.failed += 1


def test_no_request_fails_during_shutdown(timeouts: dict[str, str], measure: Measure) -> None:
    with Service(timeouts) as service:
        clients = [Client(service, keep_alive=bool(number % 2)) for number in range(8)]
        for client in clients:
            client.start()
        until(lambda: sum(client.sent for client in clients) > 200)
        limit = DRAIN_SECONDS + project.STOP_MARGIN_SECONDS
        with measure.seconds("SIGTERM to exit", at_most=limit):
            assert_stops(service)
        for client in clients:
            client.join(TIMEOUT)
    sent = sum(client.sent for client in clients)
    failed = sum(client.failed for client in clients)
    measure("sent before and during shutdown", sent, "requests", at_least=200)
    measure("failed", failed, "requests", at_most=0)


def test_a_request_in_flight_completes_during_shutdown(no_drain: dict[str, str]) -> None:
    beginning, rest = project.example_resource().split_request()
    with Service(no_drain) as service, connect(service, beginning) as connection:
        service.get("/livez")
        service.terminate()
        service.wait_for("draining")
        until(lambda: not project.is_live(no_drain))
        connection.sendall(rest)
        assert read_all(connection).startswith(b"HTTP/1.1 201 ")
        assert service.wait() == 0


def test_a_request_completes_during_the_drain(timeouts: dict[str, str]) -> None:
    with Service(timeouts) as service, connect(service, INCOMPLETE_HEADERS) as connection:
        service.terminate()
        service.wait_for("draining")
        connection.sendall(b"\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
        assert service.wait() == 0


@pytest.mark.parametrize("part", ["no request", "incomplete headers", "an incomplete body"])
def test_an_incomplete_request_does_not_block_the_exit(
    no_drain: dict[str, str], measure: Measure, part: str
) -> None:
    sent = b"" if part == "no request" else INCOMPLETE_HEADERS
    if part == "an incomplete body":
        sent, _ = project.example_resource().split_request()
    limit = SHUTDOWN_SECONDS + project.STOP_MARGIN_SECONDS
    with Service(no_drain) as service, connect(service, sent):
        service.get("/livez")
        with measure.seconds(f"SIGTERM to exit with {part}", at_most=limit):
            assert_stops(service)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_exits_at_once(timeouts: dict[str, str], second: signal.Signals) -> None:
    with Service(timeouts | {"DRAIN_SECONDS": "300"}) as service, connect(service, b"GET /"):
        assert_second_signal_stops(service, second)


def test_signals_reach_the_process_of_the_image_command(no_drain: dict[str, str]) -> None:
    command = project.image_command()
    assert command[0] == "python"
    with started([sys.executable, *command[1:]], no_drain) as process:
        assert process.stdout
        until(lambda: b'"listening"' in process.stdout.readline())  # type: ignore[union-attr]
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 0)
            pytest.fail("a process of its group is still running")


def test_compose_waits_longer_than_a_shutdown_takes(measure: Measure) -> None:
    text = project.read("compose/service.env")
    variables = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    longest = float(variables["DRAIN_SECONDS"]) + float(variables["SHUTDOWN_SECONDS"])
    for name in project.long_running():
        grace = float(project.compose_services()[name]["stop_grace_period"].removesuffix("s"))
        measure(f"stop grace period of {name}", grace, "s", at_least=longest + 1)
