"""Requests: malformed ones, limits, pipelining, timeouts of headers and of the request."""

import json
import re
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import (
    TIMEOUT,
    Service,
    assert_stops,
    connect,
    fetch,
    read_all,
    until,
)
from .test_connections import app_with_routes, request, send, serving

GET = b"GET /livez HTTP/1.1\r\nHost: service\r\n"
VALID = GET + b"\r\n"
POST = b"POST /nowhere HTTP/1.1\r\nHost: service\r\n"
REJECTED = {
    "not HTTP": (b"\x16\x03\x01\x02\x00", 400),
    "no Host header": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two Host headers": (GET + b"Host: other\r\n\r\n", 400),
    "request smuggling": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "two Content-Length headers": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    "NUL": (GET + b"X-A: a\x00b\r\n\r\n", 400),
    "a bare LF": (GET + b"X-A: a\nX-B: b\r\n\r\n", 400),
    "a folded header": (GET + b"X-A: a\r\n b\r\n\r\n", 400),
    "space before a colon": (GET + b"X-A : a\r\n\r\n", 400),
    "CONNECT": (b"CONNECT service:80 HTTP/1.1\r\nHost: service\r\n\r\n", 400),
    "a long target": (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: service\r\n\r\n", 414),
    "a target that does not end": (b"GET /" + b"a" * 8192, 414),
    "a large header": (GET + b"X-A: " + b"a" * 32768 + b"\r\n\r\n", 431),
    "a header that does not end": (GET + b"X-A: " + b"a" * 32768, 431),
    "large headers": (GET + 9 * (b"X-A: " + b"a" * 4000 + b"\r\n") + b"\r\n", 431),
    "many headers": (GET + b"X-A: a\r\n" * 100 + b"\r\n", 431),
}
LARGEST = [
    b"GET /livez?" + b"a" * 8185 + b" HTTP/1.1\r\nHost: service\r\n\r\n",
    GET + b"X-A: a\r\n" * 99 + b"\r\n",
    GET + b"X-A: " + b"a" * 32000 + b"\r\n\r\n",
    b"GET /livez HTTP/1.0\r\n\r\n",
]
SERIES_431 = r'_count\{.*method="GET".*code="431",.*route=""\} (\S+)'
UNFINISHED = {
    b"": [],
    b"\r\n" * 100: [],
    b"GET /livez HT": [b"408"],
    GET: [b"408"],
    VALID: [b"200"],
    VALID + GET: [b"200", b"408"],
    POST + b"Content-Length: 10\r\n\r\n12345": [b"404"],
}


def statuses(service: Service, sent: bytes) -> list[bytes]:
    """Send these bytes and return the status of each response, until the connection closes."""
    with connect(service, sent) as connection:
        return re.findall(rb"HTTP/1.1 (\d+)", read_all(connection))


def test_malformed_requests_get_a_problem_response(service: Service) -> None:
    for name, (sent, status) in REJECTED.items():
        with connect(service, sent) as connection:
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), name
        assert b"content-type: application/problem+json" in head, name
        assert b"x-content-type-options: nosniff" in head, name
        assert b"connection: close" in head.lower(), name
        line = service.wait_for("request")
        problem = json.loads(body)
        assert (line["status"], line["route"], line["level"]) == (status, "", "info"), name
        assert problem["status"] == status, name
        assert problem["request_id"] == line["request_id"], name
    counted = re.findall(SERIES_431, fetch(service.metrics_url).text)
    assert counted == ["4.0"]


def test_requests_at_the_limits_are_accepted(service: Service) -> None:
    for sent in LARGEST:
        with connect(service, sent) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_pipelined_requests_get_responses_in_order(service: Service) -> None:
    # A body must not count towards the size of the headers.
    large = POST + b"Content-Length: 500000\r\n\r\n" + b"a" * 500_000
    sent = large + VALID * 3 + GET + b"Connection: close\r\n\r\n"
    assert statuses(service, sent) == [b"404", *[b"200"] * 4]
    assert statuses(service, VALID * 2 + b"noise\r\n\r\n" + VALID) == [b"200", b"200", b"400"]
    *first, last = statuses(service, VALID * 1000)
    assert set(first) == {b"200"}
    assert last == b"429"
    assert len(first) < 999


def test_an_upgrade_is_ignored_and_the_connection_closed(service: Service) -> None:
    upgrade = GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert statuses(service, upgrade + VALID) == [b"200"]


def test_idle_clients_are_disconnected_without_affecting_others(
    environment: dict[str, str],
) -> None:
    limits = {"HEADER_SECONDS": "0.5", "KEEP_ALIVE_SECONDS": "1"}
    with Service(environment | limits) as service, ExitStack() as stack:
        idle = [stack.enter_context(connect(service, sent)) for sent in (b"", GET) * 100]
        metrics = "127.0.0.1", int(environment["METRICS_PORT"])
        idle.append(stack.enter_context(socket.create_connection(metrics, timeout=TIMEOUT)))
        unfinished = {sent: connect(service, sent) for sent in UNFINISHED}
        with httpx.Client(base_url=service.url) as client:
            assert {client.get("/livez").status_code for _ in range(50)} == {200}
        for sent, connection in unfinished.items():
            found = re.findall(rb"HTTP/1.1 (\d+)", read_all(stack.enter_context(connection)))
            assert found == UNFINISHED[sent], sent
        for connection in idle:
            read_all(connection)
        assert service.get("/livez").status_code == 200
        assert_stops(service)


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return settings.model_copy(update={"request_seconds": 0.3})


def test_a_slow_handler_gets_503(quick: Settings) -> None:
    with capture_logs() as lines, serving(app_with_routes(quick), quick):
        response = fetch(f"http://{quick.host}:{quick.port}/slow", "POST", content=b"body")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert "retry-after" in response.headers
    (line,) = (line for line in lines if line["event"] == "request")
    assert (line["status"], line["route"]) == (503, "/slow")
    assert line["failure"] == "request timeout"


def test_a_slow_upload_gets_408(quick: Settings) -> None:
    half = request("POST /slow", "Content-Length: 10") + b"12345"
    with (
        capture_logs() as lines,
        serving(app_with_routes(quick), quick),
        send(quick, half) as connection,
    ):
        headers, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in headers.lower()
    assert json.loads(body)["status"] == 408
    assert [line["status"] for line in lines if line["event"] == "request"] == [408]


def test_an_endless_response_is_aborted(quick: Settings) -> None:
    with capture_logs() as lines, serving(app_with_routes(quick), quick):
        with send(quick, request("GET /endless")) as connection:
            response = read_all(connection)
        with send(quick, request("GET /livez", "Connection: close")) as connection:
            assert read_all(connection).startswith(b"HTTP/1.1 200 ")
    assert response.startswith(b"HTTP/1.1 200 ")
    assert response.endswith(b"\r\ndrop\r\n")  # A complete response ends with an empty chunk.
    failures = [line.get("failure") for line in lines if line["event"] == "request"]
    assert failures == ["request timeout", None]
    assert "exc_info" not in str(lines)


def handles_sigterm(service: Service) -> bool:
    """Check for a handler of SIGTERM."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) & 1 << signal.SIGTERM - 1)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows which signals are handled")
def test_a_signal_during_the_start_exits_at_once(environment: dict[str, str]) -> None:
    with ExitStack() as stack:
        stack.push(service := Service(environment))  # Without waiting until it listens.
        until(lambda: handles_sigterm(service))
        service.terminate()
        assert service.wait() == 128 + signal.SIGTERM
        assert service.lines == []
        assert service.stderr() == b""


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_a_rejected_request_of_a_browser_has_cors_headers(
    environment: dict[str, str], method: str
) -> None:
    origin = "https://shop.example"
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    with Service(environment | {"CORS_ORIGINS": origin, "MAX_BODY_BYTES": "1"}) as service:
        response = fetch(f"{service.url}/livez", method, content=b"xx", headers=headers)
    assert response.status_code == 413
    assert response.headers["access-control-allow-origin"] == origin


def test_the_metrics_port_serves_only_metrics(service: Service) -> None:
    api = service.metrics_url.replace("/metrics", "/livez")
    assert fetch(api).headers["content-type"].startswith("text/plain")
    assert service.get("/metrics").status_code == 404


def test_head_has_no_body(service: Service) -> None:
    with connect(service, b"HEAD /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as head:
        response = read_all(head)
    assert response.startswith(b"HTTP/1.1 200 ")
    assert response.endswith(b"\r\n\r\n")
