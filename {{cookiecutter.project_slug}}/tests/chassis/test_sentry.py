"""Reports of exceptions, received by a fake of Sentry's server."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from ..support.service import run

REQUEST = """
import httpx
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app

app = create_app(settings, Readiness())

@app.get("/error/{secret}")
async def error(secret: str) -> None:
    local = secret
    raise RuntimeError("the DSN is " + settings.sentry_dsn.get_secret_value())

client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")
headers = {"X-Request-ID": "request-1", "Authorization": "hunter2"}
run(client.get("/error/hunter2", headers=headers))
"""
"""Code for the command `shell`: a request whose handler raises an exception."""


@contextmanager
def fake_server(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run a server that responds with `status`; yield its DSN and the reports that it got."""
    reports: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            _, kind, report, *_ = (json.loads(line) for line in body.splitlines())
            assert (self.path, kind["type"]) == ("/api/1/envelope/", "event")
            reports.append(report)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://publickey@127.0.0.1:{server.server_port}/1", reports
        finally:
            server.shutdown()


def test_an_exception_of_a_request_is_reported_without_its_data(
    environment: dict[str, str],
) -> None:
    with fake_server() as (dsn, reports):
        changes = {"SENTRY_DSN": dsn, "REVISION": "abc123"}
        done = run(environment | changes, "shell", "-c", REQUEST)
    line = next(line for line in map(json.loads, done.stdout.splitlines()) if "exception" in line)
    (report,) = reports
    (error,) = report["exception"]["values"]
    assert (error["type"], report["release"]) == ("RuntimeError", "abc123")
    assert error["stacktrace"]["frames"][-1]["function"] == "error"
    assert report["tags"] == {
        "method": "GET",
        "route": "/error/{secret}",
        "request_id": "request-1",
        "trace_id": line["trace_id"],
    }
    sent = json.dumps({**report, "exception": [error["value"], *error["stacktrace"]["frames"]]})
    assert "hunter2" not in sent
    assert "publickey" not in sent


def test_a_crash_is_reported(environment: dict[str, str]) -> None:
    with fake_server() as (dsn, reports):
        done = run(environment | {"SENTRY_DSN": dsn}, "shell", "-c", "1 / 0")
    assert (done.returncode, done.stderr) == (1, "")
    (report,) = reports
    assert report["exception"]["values"][0]["type"] == "ZeroDivisionError"


@pytest.mark.parametrize("dsn", ["http://key@127.0.0.1:1/1", "unset"])
def test_a_missing_server_affects_nothing(environment: dict[str, str], dsn: str) -> None:
    changes = {} if dsn == "unset" else {"SENTRY_DSN": dsn}
    done = run(environment | changes, "shell", "-c", "1 / 0")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (1, "")
    assert [line["event"] for line in lines] == ["uncaught exception"]


def test_the_client_is_not_imported_without_a_dsn(environment: dict[str, str]) -> None:
    code = "import sys; print(any(name.startswith('sentry_sdk') for name in sys.modules))"
    assert run(environment, "shell", "-c", code).stdout == "False\n"


@pytest.mark.parametrize("dsn", ["hunter2", "https://hunter2.example/1", "https://hunter2@host"])
def test_an_invalid_dsn_is_rejected_without_its_value(
    environment: dict[str, str], dsn: str
) -> None:
    done = run(environment | {"SENTRY_DSN": dsn}, "check")
    assert (done.returncode, done.stderr) == (78, "")
    assert json.loads(done.stdout)["problems"].keys() == {"SENTRY_DSN"}
    assert "hunter2" not in done.stdout
