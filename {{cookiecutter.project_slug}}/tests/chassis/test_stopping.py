"""In whatever state SIGTERM finds the web process, it leaves well; a second one ends it at once."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ..support.service import Service, connect, until

LIVE = b"GET /livez HTTP/1.1\r\nHost: service\r\n\r\n"
BUSY = [
    b"",
    b"GET /li",
    LIVE[:-4],
    b"POST /nowhere HTTP/1.1\r\nHost: service\r\nContent-Length: 9\r\n\r\nhalf",
    *[LIVE] * 100,
]
"""What clients have sent, each on a connection that stays open: none may keep the process."""
STATES = {"idle": [], "with clients in every state": BUSY}


@contextmanager
def connections(service: Service, sent: list[bytes]) -> Iterator[None]:
    """Have clients that have sent this; those that may expect an answer have it."""
    with ExitStack() as stack:
        for data in sent:
            client = stack.enter_context(connect(service, data))
            if data == LIVE:
                assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        # What was sent before is read before.
        assert service.get("/livez").status_code == 200
        yield


def assert_leaves_well(service: Service) -> None:
    """Stop it: it ends with status 0, by itself, without a word where none belongs."""
    service.terminate()
    assert service.wait() == 0
    assert service.stderr() == b""


def assert_ends_at_once(service: Service) -> None:
    """Stop it twice, while it drains and says so."""
    service.terminate()
    service.wait_for("draining")
    ready = service.get("/readyz")
    assert (ready.status_code, ready.headers["connection"]) == (503, "close")
    service.terminate()
    assert service.wait() == 128 + signal.SIGTERM
    assert service.stderr() == b""


@pytest.mark.parametrize("state", STATES)
def test_it_leaves_well(environment: dict[str, str], state: str) -> None:
    with (
        Service(environment | {"SHUTDOWN_SECONDS": "1"}) as service,
        connections(service, STATES[state]),
    ):
        assert_leaves_well(service)


@pytest.mark.parametrize("state", STATES)
def test_a_second_signal_ends_it_at_once(environment: dict[str, str], state: str) -> None:
    with (
        Service(environment | {"DRAIN_SECONDS": "300"}) as service,
        connections(service, STATES[state]),
    ):
        assert_ends_at_once(service)


def heeds_sigterm(service: Service) -> bool:
    """Tell whether the process has a handler for SIGTERM."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) & 1 << signal.SIGTERM - 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who heeds a signal")
def test_while_it_starts_it_ends_at_once(environment: dict[str, str]) -> None:
    with ExitStack() as stack:
        stack.push(service := Service(environment))  # Without waiting until it listens.
        until(lambda: heeds_sigterm(service))
        service.terminate()
        assert service.wait() == 128 + signal.SIGTERM
        assert service.lines == []
        assert service.stderr() == b""
