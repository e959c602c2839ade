"""IX. Disposability: it starts quickly, stops gracefully, and dies without damage."""

import json
import os
import signal
import socket
import statistics
import sys
import threading
from contextlib import ExitStack, suppress
from time import perf_counter

import httpx
import pytest

from ..support.service import (
    TIMEOUT,
    Service,
    connect,
    free_ports,
    read_all,
    started,
    until,
)
from .project import (
    READY_SECONDS,
    ROOT,
    STOP_MARGIN_SECONDS,
    command_of_record,
    compose,
    endless,
    resource,
)
from .report import Measure

DRAIN_SECONDS, SHUTDOWN_SECONDS = 1, 3
HALF_A_HEAD = b"GET /livez HTTP/1.1\r\nHost: service\r\n"


@pytest.fixture
def stopping(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment in which a process has a little time to stop."""
    times = {"DRAIN_SECONDS": str(DRAIN_SECONDS), "SHUTDOWN_SECONDS": str(SHUTDOWN_SECONDS)}
    return environment | times


def test_it_is_ready_soon(environment: dict[str, str], measure: Measure) -> None:
    seconds = []
    for _ in range(5):
        started = perf_counter()
        with Service(environment | free_ports()) as service:
            until(lambda: service.get("/readyz").status_code == 200)
            seconds.append(perf_counter() - started)
    measure("start to ready", statistics.median(seconds), "s", at_most=READY_SECONDS)


class Client(threading.Thread):
    """Asks again and again while it is told to, as a balancer does that looks at `/readyz`."""

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


def test_no_request_fails_while_it_stops(stopping: dict[str, str], measure: Measure) -> None:
    with Service(stopping) as service:
        clients = [Client(service, keep_alive=bool(number % 2)) for number in range(8)]
        for client in clients:
            client.start()
        until(lambda: sum(client.sent for client in clients) > 200)
        started = perf_counter()
        service.terminate()
        status = service.wait()
        taken = perf_counter() - started
        for client in clients:
            client.join(TIMEOUT)
    measure("asked while stopping", sum(c.sent for c in clients), "requests", at_least=200)
    measure("failed", sum(client.failed for client in clients), "requests", at_most=0)
    measure("stopped", taken, "s", at_most=DRAIN_SECONDS + STOP_MARGIN_SECONDS)
    assert status == 0


def test_it_says_at_once_that_it_wants_no_more_requests(stopping: dict[str, str]) -> None:
    with Service(stopping | {"DRAIN_SECONDS": "60"}) as service:
        service.terminate()
        service.wait_for("draining")
        assert service.get("/readyz").status_code == 503
        live = service.get("/livez")
        assert (live.status_code, live.headers["connection"]) == (200, "close")


def test_a_request_in_flight_is_answered(stopping: dict[str, str]) -> None:
    begun, rest = resource().halves()
    prompt = stopping | {"DRAIN_SECONDS": "0"}
    with Service(prompt) as service, connect(service, begun) as connection:
        service.get("/livez")
        service.terminate()
        service.wait_for("draining")
        until(lambda: refuses(service.url))
        connection.sendall(rest)
        assert read_all(connection).startswith(b"HTTP/1.1 201 ")
        assert service.wait() == 0


def refuses(url: str) -> bool:
    """Tell whether the door is closed to new connections."""
    try:
        httpx.get(f"{url}/livez", timeout=TIMEOUT)
    except httpx.TransportError:
        return True
    return False


def test_a_request_that_is_begun_while_it_drains_is_answered(stopping: dict[str, str]) -> None:
    with Service(stopping) as service, connect(service, HALF_A_HEAD) as connection:
        service.terminate()
        service.wait_for("draining")
        connection.sendall(b"\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
        assert service.wait() == 0


def assert_it_leaves(stopping: dict[str, str], stuck: list[bytes], measure: Measure) -> None:
    """Check that clients which sent this much, and send no more, do not keep it for long."""
    with ExitStack() as stack, Service(stopping | {"DRAIN_SECONDS": "0"}) as service:
        for sent in stuck:
            stack.enter_context(connect(service, sent))
        service.get("/livez")
        started = perf_counter()
        service.terminate()
        assert service.wait() == 0
        taken = perf_counter() - started
    measure("stuck clients", taken, "s", at_most=SHUTDOWN_SECONDS + STOP_MARGIN_SECONDS)


def test_clients_that_never_ask_do_not_keep_it(stopping: dict[str, str], measure: Measure) -> None:
    assert_it_leaves(stopping, [b"", HALF_A_HEAD], measure)


def test_a_client_that_never_ends_does_not_keep_it(
    stopping: dict[str, str], measure: Measure
) -> None:
    begun, _ = resource().halves()
    assert_it_leaves(stopping, [begun], measure)


def test_a_second_signal_ends_it_at_once(stopping: dict[str, str]) -> None:
    for second in (signal.SIGTERM, signal.SIGINT):
        with Service(stopping | {"DRAIN_SECONDS": "300"}) as service, connect(service, b"GET /"):
            service.terminate()
            service.wait_for("draining")
            service.process.send_signal(second)
            assert service.wait() == 128 + second
            assert service.stderr() == b""


def test_the_command_of_the_image_is_what_gets_the_signal(stopping: dict[str, str]) -> None:
    command = command_of_record()
    assert command[0] == "python"
    environment = stopping | {"DRAIN_SECONDS": "0"}
    with started([sys.executable, *command[1:]], environment) as process:
        assert process.stdout
        until(lambda: b'"listening"' in process.stdout.readline())  # type: ignore[union-attr]
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 0)
            pytest.fail("something of it is left")


def test_the_platform_waits_longer_than_stopping_takes(measure: Measure) -> None:
    text = (ROOT / "compose/service.env").read_text(encoding="utf-8")
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    longest = float(told["DRAIN_SECONDS"]) + float(told["SHUTDOWN_SECONDS"])
    for name in endless():
        grace = float(compose()[name]["stop_grace_period"].removesuffix("s"))
        measure(f"{name} is waited for", grace, "s", at_least=longest + 1)


def test_it_serves_again_after_every_kill(environment: dict[str, str], measure: Measure) -> None:
    for _ in range(5):
        with Service(environment) as service:
            until(lambda: service.get("/readyz").status_code == 200)
            connection = connect(service, HALF_A_HEAD)
            service.process.kill()
            service.process.wait(TIMEOUT)
            connection.close()
    measure("kills", 5, "each served again")


def test_every_process_type_stops_with_status_0(stopping: dict[str, str]) -> None:
    for name in endless():
        ports = free_ports()
        with Service(stopping | ports, name) as service:
            service.terminate()
            assert service.wait() == 0
            assert service.stderr() == b""
            assert json.loads(service.lines[-1])["event"] == "stopped"
            with pytest.raises(ConnectionError):
                socket.create_connection(("127.0.0.1", int(ports["PORT"])))
