"""Unread lines are dropped and never block the service; metrics stay few."""

import fcntl
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle, product
from subprocess import PIPE
from typing import Any

import httpx
import pytest

from {{ cookiecutter.package_name }}.chassis.observability import stdout
from {{ cookiecutter.package_name }}.chassis.observability.stdout import Stdout

from ..support.service import COMMAND, TIMEOUT, Service, fetch, path_only, resident_bytes, started

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "MKCOL", "LOCK"]
SERIES = r'_count\{http_request_method="(.*?)",.*?="(.*?)",http_route="(.*?)"\}'
LONG = "/" + "x" * 4000
"""A path that makes a long line, so that few requests fill a pipe."""


@contextmanager
def unread(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a web process that serves; after its first line, nobody reads its output."""
    with started([*COMMAND, "web"], environment) as process:
        assert process.stdout
        assert b'"listening"' in process.stdout.readline()
        yield process


def ask(environment: dict[str, str], requests: int) -> None:
    connection = HTTPConnection("127.0.0.1", int(environment["PORT"]), timeout=TIMEOUT)
    for _ in range(requests):
        connection.request("GET", LONG)
        with connection.getresponse() as response:
            response.read()
            assert response.status == 404
    connection.close()


def dropped(environment: dict[str, str]) -> int:
    metrics = fetch(f"http://127.0.0.1:{environment['METRICS_PORT']}/metrics").text
    found = re.search(r"^log_records_dropped_total (\S+)$", metrics, re.MULTILINE)
    assert found
    return int(float(found[1]))


def test_unread_lines_are_dropped_and_counted(environment: dict[str, str]) -> None:
    with unread(environment) as process:
        before = resident_bytes(process.pid)
        ask(environment, stdout.BUFFER_BYTES // len(LONG) + 300)
        assert resident_bytes(process.pid) < before + 20_000_000
        lost = dropped(environment)
        assert lost > 100
        told: list[dict[str, Any]] = []
        assert process.stdout
        watchdog = threading.Timer(TIMEOUT, process.kill)  # If the line never comes.
        watchdog.start()
        while not told or told[-1]["event"] != "log records dropped":
            told.append(json.loads(process.stdout.readline()))
        watchdog.cancel()
        assert (told[-1]["level"], told[-1]["records"]) == ("warning", lost)
        assert "request_id" not in told[-1]
        process.terminate()
        rest = [json.loads(line) for line in process.stdout]
        assert rest[-1]["event"] == "stopped"
        assert process.wait(TIMEOUT) == 0


def test_a_reader_that_never_reads_does_not_delay_the_exit(environment: dict[str, str]) -> None:
    with unread(environment) as process:
        ask(environment, 50)
        process.terminate()
        assert process.wait(TIMEOUT) == 0


def test_the_last_lines_are_written_before_the_exit() -> None:
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


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    # What a test leaves unread is lost with the reader, before the numbers belong to others.
    before = set(threading.enumerate())
    yield reader, writer
    os.close(reader)
    for thread in set(threading.enumerate()) - before:
        thread.join()
    os.close(writer)


def test_lines_arrive_whole_and_in_order_from_any_thread(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    out = Stdout(writer)

    def write(name: int) -> None:
        for number in range(100):
            out.info(b"%d %d " % (name, number) + b"x" * 10_000)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    with os.fdopen(os.dup(reader), "rb") as source:
        lines = [source.readline().split() for _ in range(400)]
    for thread in threads:
        thread.join()
    assert {len(line[2]) for line in lines} == {10_000}
    for name in range(4):
        assert [int(line[1]) for line in lines if int(line[0]) == name] == list(range(100))
    assert out.dropped == 0


def test_the_pipe_stays_blocking_for_other_writers(pipe: tuple[int, int]) -> None:
    out = Stdout(pipe[1])
    for _ in range(100):
        out.info(b"x" * 1000)
    assert not fcntl.fcntl(pipe[1], fcntl.F_GETFL) & os.O_NONBLOCK


def test_a_pipe_that_is_nonblocking_already_loses_nothing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    out = Stdout(writer)
    for number in range(20):
        out.info(b"%d " % number + b"x" * 10_000)
    with os.fdopen(os.dup(reader), "rb") as source:
        assert [int(source.readline().split()[0]) for _ in range(20)] == list(range(20))
    assert out.dropped == 0


def test_many_paths_and_methods_make_few_series(service: Service) -> None:
    paths = {*service.get("/openapi.json").json()["paths"], "", "/docs", "/openapi.json"}
    with httpx.Client(base_url=service.url) as client:
        for path, method, more in product(sorted(paths), METHODS, ("", "/", "/1", "?a=1")):
            client.request(method, f"{path}{more}")
        for number, method in zip(range(500), cycle(METHODS), strict=False):
            client.request(method, f"/{number}?a={number}")
        assert client.get("/metrics").status_code == 404
    metrics = fetch(service.metrics_url).text
    series = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert len(series) < 500
    found = re.findall(SERIES, metrics)
    assert {method for method, _, _ in found} == {*METHODS[:7], "_OTHER"}
    assert {route for _, _, route in found} <= paths
    assert {("GET", "200", "/livez"), ("GET", "404", ""), ("_OTHER", "405", "/livez")} <= {*found}
