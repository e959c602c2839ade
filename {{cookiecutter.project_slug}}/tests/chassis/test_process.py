"""The real web process, from its start to its end."""

import json
import re
import signal
import socket

import pytest

from ..support.service import Service, connect, fetch, read_all, run


def test_it_serves_and_stops_with_status_0(service: Service) -> None:
    assert service.get("/livez").status_code == 200
    assert service.get("/readyz").status_code == 200
    service.terminate()
    assert service.wait() == 0
    assert service.stderr() == b""
    events = [json.loads(line)["event"] for line in service.lines]
    assert events == ["listening", "request", "request", "draining", "stopped"]


def test_one_line_tells_of_a_request(shared: Service) -> None:
    ids = {"X-Request-ID": "abc-1", "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    answer = fetch(f"{shared.url}/livez?token=hunter2", headers=ids)
    line = shared.wait_for("request")
    assert answer.headers["x-request-id"] == line["request_id"] == "abc-1"
    assert line["trace_id"] == "ab" * 16
    assert (line["method"], line["route"], line["status"]) == ("GET", "/livez", 200)
    assert line["duration_ms"] > 0
    assert "hunter2" not in json.dumps(line)


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a;b"])
def test_an_id_that_is_none_is_replaced(shared: Service, given: str) -> None:
    headers = {"X-Request-ID": given, "traceparent": f"00-{'0' * 32}-{'cd' * 8}-01"}
    answer = fetch(f"{shared.url}/livez", headers=headers)
    line = shared.wait_for("request")
    assert answer.headers["x-request-id"] == line["request_id"] != given
    assert len(line["trace_id"]) == 32
    assert set(line["trace_id"]) != {"0"}


def test_metrics_have_a_port_of_their_own(service: Service) -> None:
    service.get("/livez")
    service.get("/no/such/path")
    fetch(f"{service.url}/livez", "PURGE")
    for _ in range(3):
        service.wait_for("request")
    metrics = fetch(service.metrics_url).text
    counts = [line for line in metrics.splitlines() if "_duration_seconds_count" in line]
    assert {tuple(re.findall('"(.*?)"', line)) for line in counts} == {
        ("GET", "200", "/livez"),
        ("GET", "404", ""),
        ("_OTHER", "405", "/livez"),
    }
    assert service.get("/metrics").status_code == 404


def test_a_request_that_was_begun_is_answered_before_the_end(environment: dict[str, str]) -> None:
    with (
        Service(environment | {"DRAIN_SECONDS": "3"}) as service,
        connect(service, b"GET /livez HTTP/1.1\r\nHost: service\r\n") as connection,
    ):
        service.terminate()
        service.wait_for("draining")
        assert service.get("/readyz").status_code == 503
        live = service.get("/livez")
        assert (live.status_code, live.headers["connection"]) == (200, "close")
        connection.sendall(b"\r\n")
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer
        assert service.wait() == 0


def test_a_second_signal_ends_it_at_once(environment: dict[str, str]) -> None:
    with Service(environment | {"DRAIN_SECONDS": "300"}) as service:
        service.terminate()
        service.wait_for("draining")
        service.process.send_signal(signal.SIGINT)
        assert service.wait() == 128 + signal.SIGINT
        assert service.stderr() == b""


@pytest.mark.parametrize("variable", ["PORT", "METRICS_PORT"])
def test_a_port_that_is_taken_is_named(environment: dict[str, str], variable: str) -> None:
    with socket.create_server(("127.0.0.1", int(environment[variable]))):
        done = run(environment, "web")
    assert done.returncode == 71
    assert json.loads(done.stdout)["port"] == int(environment[variable])
    assert done.stderr == ""


def test_a_configuration_that_cannot_work_is_named_and_nothing_is_opened(
    environment: dict[str, str],
) -> None:
    done = run(environment | {"PORT": "hunter2", "LOG_LEVEL": "loud"}, "web")
    assert done.returncode == 78
    assert json.loads(done.stdout)["problems"].keys() == {"PORT", "LOG_LEVEL"}
    assert done.stderr == ""
    assert "hunter2" not in done.stdout


def test_a_misspelt_variable_is_warned_of(environment: dict[str, str]) -> None:
    with Service(environment | {"LOG_LEVLE": "debug"}) as service:
        service.terminate()
        service.wait()
    line = json.loads(service.lines[0])
    assert (line["level"], line["variable"]) == ("warning", "LOG_LEVLE")
    assert line["did_you_mean"] == "LOG_LEVEL"


def test_traces_are_sent_where_the_environment_says(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(20)
        endpoint = f"http://127.0.0.1:{collector.getsockname()[1]}"
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "10"}
        with Service(environment | variables) as service:
            service.get("/livez")
            with collector.accept()[0] as connection:
                sent = connection.recv(65536)
                service.terminate()
                assert service.wait() == 0  # Although the collector never answers.
    assert sent.startswith(b"POST /v1/traces ")
