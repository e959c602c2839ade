"""Log records never block the service; the number of time series is bounded."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, product
from subprocess import PIPE
from typing import Any

import httpx
import psutil
import pytest

from {{ cookiecutter.package_name }}.chassis.observability import stdout
from {{ cookiecutter.package_name }}.chassis.observability.stdout import Stdout

from ..support.service import (
    COMMAND,
    NO_TLS,
    TIMEOUT,
    Service,
    fetch,
    path_only,
    started,
)

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "MKCOL", "LOCK"]
SERIES = r'_count\{http_request_method="(.*?)",.*?="(.*?)",http_route="(.*?)"\}'
LONG = "/" + "x" * 4000
"""A path that makes a long log record, so that few requests fill a pipe."""


@contextmanager
def unread_process(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a web process whose output is not read after `listening`."""
    with started([*COMMAND, "web"], environment) as process:
        assert process.stdout
        assert b'"listening"' in process.stdout.readline()
        yield process


def send_requests(environment: dict[str, str], requests: int) -> None:
    url = f"http://127.0.0.1:{environment['PORT']}{LONG}"
    with httpx.Client(timeout=TIMEOUT, verify=NO_TLS) as client:
        for _ in range(requests):
            assert client.get(url).status_code == 404


def records_dropped(environment: dict[str, str]) -> int:
    metrics = fetch(f"http://127.0.0.1:{environment['METRICS_PORT']}/metrics").text
    found = re.search(r"^log_records_dropped_total (\S+)$", metrics, re.MULTILINE)
    assert found
    return int(float(found[1]))


def test_records_are_dropped_and_counted_while_the_buffer_is_full(
    environment: dict[str, str],
) -> None:
    with unread_process(environment) as process:
        memory = psutil.Process(process.pid).memory_info
        before = memory().rss
        send_requests(environment, stdout.BUFFER_BYTES // len(LONG) + 300)
        assert memory().rss < before + 20_000_000
        dropped = records_dropped(environment)
        assert dropped > 100
        assert process.stdout
        line: dict[str, Any] = {"event": ""}
        watchdog = threading.Timer(TIMEOUT, process.kill)  # `readline` has no timeout.
        watchdog.start()
        while line["event"] != "log records dropped":
            line = json.loads(process.stdout.readline())
        watchdog.cancel()
        assert (line["level"], line["records"]) == ("warning", dropped)
        assert "request_id" not in line
        process.terminate()
        *_, last = process.stdout
        assert json.loads(last)["event"] == "stopped"
        assert process.wait(TIMEOUT) == 0


def test_unread_output_does_not_delay_the_exit(environment: dict[str, str]) -> None:
    with unread_process(environment) as process:
        send_requests(environment, 50)
        process.terminate()
        assert process.wait(TIMEOUT) == 0


def test_the_buffer_is_flushed_at_exit() -> None:
    code = """
import os
from {{ cookiecutter.package_name }}.chassis.observability import logs
logs.configure()
for number in range(500):
    logs.log.info("a", number=number, text="x" * 4000)
os.write(2, b".")
"""
    command = [*COMMAND[:1], "-c", code]
    with subprocess.Popen(command, env=path_only(), stdout=PIPE, stderr=PIPE) as process:
        assert process.stderr
        assert process.stdout
        assert process.stderr.read(1) == b"."
        assert [json.loads(line)["number"] for line in process.stdout] == list(range(500))


@pytest.mark.parametrize("blocking", [True, False])
def test_records_of_all_threads_arrive_complete_and_in_order(*, blocking: bool) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    out = Stdout(writer)

    def write(name: int) -> None:
        for number in range(100):
            out.info(b"%d %d " % (name, number) + b"x" * 10_000)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    with os.fdopen(reader, "rb") as source:
        lines = [source.readline().split() for _ in range(400)]
    for thread in threads:
        thread.join()
    assert {len(line[2]) for line in lines} == {10_000}
    for name in range(4):
        assert [int(line[1]) for line in lines if int(line[0]) == name] == list(range(100))
    assert out.dropped == 0
    assert os.get_blocking(writer) == blocking  # Other programs may write to the same pipe.
    os.close(writer)


def test_the_number_of_time_series_is_bounded(service: Service) -> None:
    paths = {*service.get("/openapi.json").json()["paths"], "", "/docs", "/openapi.json"}
    with httpx.Client(base_url=service.url) as client:
        for path, method, more in product(sorted(paths), METHODS, ("", "/", "/1", "?a=1")):
            client.request(method, f"{path}{more}")
        for number, method in zip(range(500), cycle(METHODS), strict=False):
            client.request(method, f"/{number}?a={number}")
        assert client.get("/metrics").status_code == 404
    metrics = fetch(service.metrics_url).text
    series = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert len(series) < 600
    found = re.findall(SERIES, metrics)
    assert {method for method, _, _ in found} == {*METHODS[:7], "_OTHER"}
    assert {route for _, _, route in found} <= paths
    assert {("GET", "200", "/livez"), ("GET", "404", ""), ("_OTHER", "405", "/livez")} <= {*found}
