"""XI. Logs: an event stream on standard output, one JSON object per line."""

import json
import os
import re
import socket
import subprocess
from datetime import datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ..support.service import (
    COMMAND,
    TIMEOUT,
    Service,
    assert_stops,
    connect,
    fetch,
    run,
    started,
    until,
)
from .project import LOG_SECONDS, OUTAGE_SECONDS, is_live, operations
from .report import Measure

INJECTIONS = [
    *("a%0ab", "a%0d%0ab", "%1b[31m", "%22%7d%7b%22event%22:%22x%22"),
    *("%e2%80%a8", "%00", "%ff"),
]
"""Newlines, escape codes, quotes and invalid UTF-8, percent-encoded."""
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"


def assert_is_event(line: str | bytes) -> None:
    """Check that a line is a JSON object with the standard fields."""
    assert line[:1] in {"{", b"{"}, line
    event = json.loads(line)
    assert event.keys() >= {"ts", "level", "event", "service", "revision"}
    assert event["ts"].endswith("Z")
    assert datetime.fromisoformat(event["ts"]).tzinfo


def test_every_line_of_a_process_is_an_event(environment: dict[str, str], measure: Measure) -> None:
    with Service(environment | {"LOG_LEVEL": "debug", "LOG_LEVLE": "x"}) as service:
        for method, path in [*operations(), ("get", "/no/such/path")]:
            fetch(service.url + path, method, content=b"{")
        with connect(service, b"NONSENSE\r\n\r\n") as connection:
            connection.recv(1024)
        assert_stops(service)
    measure("JSON events", len(service.lines), "lines", at_least=10)
    for line in service.lines:
        assert_is_event(line)


def test_a_failed_start_is_an_event(environment: dict[str, str]) -> None:
    done = run(environment | {"PORT": "x"}, "web")
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert_is_event(line)


def test_input_from_clients_does_not_break_log_lines(service: Service, measure: Measure) -> None:
    not_found = 0
    for text in INJECTIONS:
        headers = f"X-Request-ID: {text}\r\nUser-Agent: {text}\r\n"
        sent = f"GET /{text}?{text} HTTP/1.1\r\nHost: service\r\n{headers}Connection: close\r\n\r\n"
        with connect(service, sent.encode("latin-1")) as connection:
            not_found += connection.recv(65536).startswith(b"HTTP/1.1 404")
    service.get("/version")
    service.wait_for("request", route="/version")
    lines = [json.loads(line) for line in service.lines]
    measure("attempted log injections", not_found, "requests", at_least=5)
    assert sum(line["event"] == "request" and line["status"] == 404 for line in lines) == not_found
    assert {line["event"] for line in lines} <= {"listening", "request"}


def test_log_lines_are_not_buffered(service: Service, measure: Measure) -> None:
    service.get("/version")
    with measure.seconds("response to log line", at_most=LOG_SECONDS):
        service.wait_for("request", route="/version")


def test_log_lines_contain_the_request_and_trace_ids(service: Service) -> None:
    given = {"X-Request-ID": "abc-1", "traceparent": TRACEPARENT}
    response = fetch(f"{service.url}/version", headers=given)
    line = service.wait_for("request")
    assert response.headers["x-request-id"] == line["request_id"] == "abc-1"
    assert line["trace_id"] == "ab" * 16
    for invalid in ({}, {"X-Request-ID": "a b", "traceparent": "nonsense"}):
        response = fetch(f"{service.url}/version", headers=invalid)
        line = service.wait_for("request")
        assert re.fullmatch("[0-9a-f]{32}", line["request_id"])
        assert response.headers["x-request-id"] == line["request_id"]


def test_log_level_filters_events(environment: dict[str, str]) -> None:
    with started([*COMMAND, "web"], environment | {"LOG_LEVEL": "Error"}) as process:
        until(lambda: is_live(environment))
        process.terminate()
        output, _ = process.communicate(timeout=TIMEOUT)
    assert output == b""


def test_metrics_count_the_logged_requests(service: Service, measure: Measure) -> None:
    for _ in range(7):
        service.get("/version")
    for _ in range(7):
        service.wait_for("request", route="/version")
    families = list(text_string_to_metric_families(fetch(service.metrics_url).text))
    counts = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "http_server_request_duration_seconds_count"
        and sample.labels["http_route"] == "/version"
    ]
    measure("metrics", len(families), "families", at_least=1)
    assert counts == [7]


def tracing_to(port: int, variable: str = ENDPOINT, path: str = "") -> dict[str, str]:
    """Return variables that send traces to a collector without delay."""
    url = f"http://127.0.0.1:{port}{path}"
    return {variable: url, "OTEL_BSP_SCHEDULE_DELAY": "10"}


@pytest.mark.parametrize(
    ("variable", "path"),
    [(ENDPOINT, ""), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces")],
)
def test_traces_are_sent_to_the_collector(
    environment: dict[str, str], variable: str, path: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(TIMEOUT)
        variables = tracing_to(collector.getsockname()[1], variable, path)
        with Service(environment | variables) as service:
            fetch(f"{service.url}/version", headers={"traceparent": TRACEPARENT})
            with collector.accept()[0] as connection:
                sent = connection.recv(65536)
                assert_stops(service)  # Although the collector never responds.
    assert sent.startswith(b"POST /v1/traces ")


def test_an_unavailable_collector_does_not_delay_requests(
    environment: dict[str, str], measure: Measure
) -> None:
    with Service(environment | tracing_to(1)) as service:
        with measure.seconds("20 requests without a collector", at_most=OUTAGE_SECONDS):
            for _ in range(20):
                assert service.get("/version").status_code == 200
        assert_stops(service)


def test_a_closed_standard_output_does_not_stop_the_service(environment: dict[str, str]) -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "web"]
    with subprocess.Popen(closed, env=environment, stderr=subprocess.PIPE) as process:
        try:
            until(lambda: is_live(environment))
            process.terminate()
            assert process.communicate(timeout=TIMEOUT)[1] == b""
        finally:
            process.kill()
    assert process.returncode == 0


def test_a_closed_log_pipe_does_not_stop_the_service(environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    with started([*COMMAND, "web"], environment, writing) as process:
        os.close(writing)
        until(lambda: is_live(environment))
        os.close(reading)
        for _ in range(20):
            assert is_live(environment)
        process.terminate()
        assert process.wait(TIMEOUT) == 0
