"""XI. Logs: a stream of events on stdout, each one JSON object in one line, whoever speaks."""

import json
import os
import re
import socket
import subprocess
from datetime import datetime
from time import perf_counter

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ..support.service import COMMAND, TIMEOUT, Service, connect, started, until
from .project import LINE_SECONDS, OUTAGE_SECONDS, interface, readable_paths
from .report import Measure

NASTY = ["a%0ab", "a%0d%0ab", "%1b[31m", "%22%7d%7b%22event%22:%22x%22", "%e2%80%a8", "%00", "%ff"]
TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"


def assert_is_an_event(line: bytes) -> None:
    """Check that a line is one event, with all that a reader looks for."""
    event = json.loads(line)
    assert isinstance(event, dict)
    assert event.keys() >= {"ts", "level", "event", "service", "revision"}
    assert event["ts"].endswith("Z")
    assert datetime.fromisoformat(event["ts"]).tzinfo


def test_every_line_is_an_event_from_the_first_to_the_last(
    environment: dict[str, str], measure: Measure
) -> None:
    with Service(environment | {"LOG_LEVEL": "debug", "LOG_LEVLE": "x"}) as service:
        for path in [*readable_paths(), "/no/such/path"]:
            service.get(path)
        for path, operations in interface()["paths"].items():
            for method in operations:
                httpx.request(method, service.url + path, content=b"{", timeout=TIMEOUT)
        with connect(service, b"NONSENSE\r\n\r\n") as connection:
            connection.recv(1024)
        service.terminate()
        assert service.wait() == 0
        assert service.stderr() == b""
    measure("read", len(service.lines), "lines", at_least=10)
    for line in service.lines:
        assert_is_an_event(line)


def test_a_process_that_cannot_start_says_so_in_an_event(environment: dict[str, str]) -> None:
    refused = environment | {"PORT": "x"}
    done = subprocess.run(
        [*COMMAND, "web"], env=refused, capture_output=True, timeout=TIMEOUT, check=False
    )
    assert done.stderr == b""
    (line,) = done.stdout.splitlines()
    assert_is_an_event(line)


def test_what_clients_send_stays_inside_the_line_of_their_request(
    service: Service, measure: Measure
) -> None:
    requests = 0
    for text in NASTY:
        headers = f"X-Request-ID: {text}\r\nUser-Agent: {text}\r\n"
        sent = f"GET /{text}?{text} HTTP/1.1\r\nHost: service\r\n{headers}Connection: close\r\n\r\n"
        with connect(service, sent.encode("latin-1")) as connection:
            answered = connection.recv(65536).startswith(b"HTTP/1.1 404")
        requests += answered
    service.get("/version")
    service.wait_for("request", route="/version")
    told = [json.loads(line) for line in service.lines]
    measure("told", requests, "hostile requests", at_least=5)
    assert sum(line["event"] == "request" and line["status"] == 404 for line in told) == requests
    assert {line["event"] for line in told} <= {"listening", "request"}


def test_a_line_is_there_as_soon_as_the_answer(service: Service, measure: Measure) -> None:
    service.get("/version")
    started = perf_counter()
    service.wait_for("request", route="/version")
    measure("line after answer", perf_counter() - started, "s", at_most=LINE_SECONDS)


def test_a_line_carries_the_ids_of_its_request(service: Service) -> None:
    given = {"X-Request-ID": "abc-1", "traceparent": TRACEPARENT}
    answer = httpx.get(f"{service.url}/version", headers=given, timeout=TIMEOUT)
    line = service.wait_for("request")
    assert answer.headers["x-request-id"] == line["request_id"] == "abc-1"
    assert line["trace_id"] == "ab" * 16
    for wrong in ({}, {"X-Request-ID": "a b", "traceparent": "nonsense"}):
        answer = httpx.get(f"{service.url}/version", headers=wrong, timeout=TIMEOUT)
        line = service.wait_for("request")
        assert re.fullmatch("[0-9a-f]{32}", line["request_id"])
        assert answer.headers["x-request-id"] == line["request_id"]


def test_the_level_is_honoured(environment: dict[str, str]) -> None:
    with started([*COMMAND, "web"], environment | {"LOG_LEVEL": "error"}) as process:
        url = f"http://127.0.0.1:{environment['PORT']}"
        until(lambda: _answers(url))
        process.terminate()
        said, _ = process.communicate(timeout=TIMEOUT)
    assert said == b""


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez").status_code == 200
    except httpx.TransportError:
        return False


def test_what_the_log_tells_is_what_the_metrics_count(service: Service, measure: Measure) -> None:
    for _ in range(7):
        service.get("/version")
    for _ in range(7):
        service.wait_for("request", route="/version")
    families = list(text_string_to_metric_families(httpx.get(service.metrics_url).text))
    counted = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "http_server_request_duration_seconds_count"
        and sample.labels["http_route"] == "/version"
    ]
    measure("metrics", len(families), "families", at_least=1)
    assert counted == [7]


def test_a_request_is_traced_where_the_environment_says(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(TIMEOUT)
        place = f"http://127.0.0.1:{collector.getsockname()[1]}"
        tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": place, "OTEL_BSP_SCHEDULE_DELAY": "10"}
        with Service(environment | tracing) as service:
            httpx.get(f"{service.url}/version", headers={"traceparent": TRACEPARENT})
            with collector.accept()[0] as connection:
                sent = connection.recv(65536)
                service.terminate()
                assert service.wait() == 0  # Although the collector never responds.
    assert sent.startswith(b"POST /v1/traces ")


def test_a_collector_that_is_away_delays_nothing(
    environment: dict[str, str], measure: Measure
) -> None:
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    with Service(environment | away) as service:
        started = perf_counter()
        for _ in range(20):
            assert service.get("/version").status_code == 200
        measure("20 requests", perf_counter() - started, "s", at_most=OUTAGE_SECONDS)
        service.terminate()
        assert service.wait() == 0


def test_a_reader_that_has_gone_does_not_end_it(environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    with started([*COMMAND, "web"], environment, writing) as process:
        os.close(writing)
        url = f"http://127.0.0.1:{environment['PORT']}"
        until(lambda: _answers(url))
        os.close(reading)
        for _ in range(20):
            assert httpx.get(f"{url}/version", timeout=TIMEOUT).status_code == 200
        process.terminate()
        assert process.wait(TIMEOUT) == 0
