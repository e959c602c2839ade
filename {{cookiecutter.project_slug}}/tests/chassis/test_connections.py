"""Clients that go, read slowly or send too much; faults of ours that keep a connection."""

import asyncio
import os
import select
import socket
import subprocess
import threading
from http.client import HTTPConnection

import pytest
from fastapi import FastAPI, Request, Response
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import PATIENCE, read_all, until
from ..support.serving import serving

MEGABYTE = 1_000_000


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    app = create_app(settings, Readiness())

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError

    @app.get("/large")
    async def large() -> Response:
        return Response(b"x" * 50 * MEGABYTE)

    @app.post("/count")
    async def count(request: Request) -> int:
        return len(await request.body())

    return app


def ask(settings: Settings, sent: bytes) -> socket.socket:
    connection = socket.create_connection((settings.host, settings.port), timeout=PATIENCE)
    connection.sendall(sent)
    return connection


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: service", *fields, "", ""]).encode()


def test_a_fault_of_ours_keeps_the_connection(app: FastAPI, settings: Settings) -> None:
    statuses, sockets = [], set()
    with capture_logs(), serving(app, settings):
        connection = HTTPConnection(settings.host, settings.port, timeout=PATIENCE)
        for path in ("/fault", "/livez") * 200:
            connection.request("GET", path)
            sockets.add(connection.sock)
            with connection.getresponse() as answer:
                answer.read()
                statuses.append(answer.status)
        connection.close()
    assert statuses == [500, 200] * 200
    assert len(sockets) == 1


def test_what_nobody_waits_for_is_cancelled(app: FastAPI, settings: Settings) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    @app.get("/slow")
    async def slow() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    with capture_logs() as lines, serving(app, settings):
        with ask(settings, head("GET /slow")):
            assert begun.wait(PATIENCE)
        assert cancelled.wait(PATIENCE)
        until(lambda: any(line["event"] == "request" for line in lines))
    assert [line["status"] for line in lines if line["event"] == "request"] == [499]
    assert {line["log_level"] for line in lines} == {"info"}


def test_what_follows_an_answer_is_not_cancelled(app: FastAPI, settings: Settings) -> None:
    go, done = threading.Event(), threading.Event()

    class Answer(Response):
        async def __call__(self, *asgi: object) -> None:
            await super().__call__(*asgi)  # type: ignore[arg-type]
            await asyncio.to_thread(go.wait, PATIENCE)
            done.set()

    @app.get("/later")
    async def later() -> Response:
        return Answer()

    quick = settings.model_copy(update={"request_seconds": 0.1})
    with serving(app, quick) as server:
        with ask(quick, head("GET /later")) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        until(lambda: not server.server_state.connections)
        go.set()
        assert done.wait(PATIENCE)


def test_a_client_that_does_not_read_is_cut_off(app: FastAPI, settings: Settings) -> None:
    with (
        serving(app, settings.model_copy(update={"send_seconds": 0.5})) as server,
        ask(settings, head("GET /large")) as connection,
    ):
        connection.recv(1)
        until(lambda: not server.server_state.connections)
        assert len(read_all(connection)) < 50 * MEGABYTE


def test_an_upload_that_is_too_large_ends_early(app: FastAPI, settings: Settings) -> None:
    chunk = b"%x\r\n%s\r\n" % (MEGABYTE, b"x" * MEGABYTE)
    with serving(app, settings) as server:
        before, sent = memory(), 0
        with ask(settings, head("POST /count", "Transfer-Encoding: chunked")) as connection:
            while sent < 100 and not select.select([connection], [], [], 0)[0]:
                connection.sendall(chunk)
                sent += 1
            answer = read_all(connection)
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert b"connection: close" in answer.lower()
            assert sent < 50
            until(lambda: not server.server_state.connections)  # Although we have not closed it.
        assert memory() - before < 20 * MEGABYTE


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"zz\r\n", 400),
        (b"5\r\n12345\r\nzz\r\n", 400),
        (b"5\r\n12345\r\n0\r\nX-A: " + b"a" * MEGABYTE, 431),
    ],
)
def test_a_body_that_breaks_the_rules_is_refused(
    app: FastAPI, settings: Settings, sent: bytes, status: int
) -> None:
    with (
        serving(app, settings),
        ask(settings, head("POST /count", "Transfer-Encoding: chunked") + sent) as connection,
    ):
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.lower().count(b"connection: close") == 1


def memory() -> int:
    """Return the bytes of memory that this process has."""
    command = ["ps", "-o", "rss=", "-p", str(os.getpid())]
    return 1024 * int(subprocess.check_output(command))
