"""Connections: keep-alive, disconnects, slow readers, rejected bodies."""

import asyncio
import select
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import psutil
import pytest
import uvloop
from fastapi import BackgroundTasks, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.http.server import Server, bind
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import TIMEOUT, read_all, until

MEGABYTE = 1_000_000
CHUNKED = "Transfer-Encoding: chunked"
BODIES = [
    ("Content-Length: 101", b"x" * 101, 413),
    ("Content-Length: 101\r\nExpect: 100-continue", b"", 413),
    (CHUNKED, b"65\r\n%s\r\n0\r\n\r\n" % (b"x" * 101), 413),
    (CHUNKED, b"zz\r\n", 400),
    (CHUNKED, b"5\r\n12345\r\nzz\r\n", 400),
    (CHUNKED, b"5\r\n12345\r\n0\r\nX-A: " + b"a" * MEGABYTE, 431),
]


@contextmanager
def serving(app: FastAPI, settings: Settings) -> Iterator[Server]:
    """Serve `app` in a thread, at the port of the settings."""
    server = Server(app, settings, Readiness())
    with bind(settings.host, settings.port) as listener:
        serve = server.serve(sockets=[listener])
        thread = threading.Thread(target=uvloop.run, args=[serve], daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield server
        finally:
            server.should_exit = True
            thread.join(TIMEOUT)
            assert not thread.is_alive()


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return app_with_routes(settings)


def app_with_routes(settings: Settings) -> FastAPI:
    """Return the application with routes for tests."""
    app = create_app(settings, Readiness())

    @app.get("/error")
    async def error() -> None:
        raise RuntimeError

    @app.get("/large")
    async def large() -> Response:
        return Response(b"x" * 50 * MEGABYTE)

    @app.api_route("/count", methods=["GET", "POST"])
    async def count(request: Request) -> int:
        return len(await request.body())

    @app.post("/slow")
    async def slow(request: Request) -> None:
        await request.body()
        await asyncio.sleep(3600)

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def drip() -> AsyncIterator[bytes]:
            yield b"drop"
            await asyncio.sleep(3600)

        return StreamingResponse(drip())

    return app


def send(settings: Settings, sent: bytes) -> socket.socket:
    connection = socket.create_connection((settings.host, settings.port), timeout=TIMEOUT)
    connection.sendall(sent)
    return connection


def request(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: service", *headers, "", ""]).encode()


def test_an_error_response_keeps_the_connection_open(app: FastAPI, settings: Settings) -> None:
    with capture_logs(), serving(app, settings):
        connection = HTTPConnection(settings.host, settings.port, timeout=TIMEOUT)
        connection.connect()
        connection.auto_open = 0  # Reconnecting would raise.
        for path, status in [("/error", 500), ("/livez", 200)] * 50:
            connection.request("GET", path)
            with connection.getresponse() as response:
                assert (response.status, bool(response.read())) == (status, True)
        connection.close()


def test_a_request_is_cancelled_when_its_client_disconnects(
    app: FastAPI, settings: Settings
) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    @app.get("/waiting")
    async def waiting() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    with capture_logs() as lines, serving(app, settings):
        with send(settings, request("GET /waiting")):
            assert begun.wait(TIMEOUT)
        assert cancelled.wait(TIMEOUT)
        until(lambda: any(line["event"] == "request" for line in lines))
    assert [line["status"] for line in lines if line["event"] == "request"] == [499]
    assert {line["log_level"] for line in lines} == {"info"}


def test_background_work_outlasts_a_disconnect_and_the_timeout(settings: Settings) -> None:
    quick = settings.model_copy(update={"request_seconds": 0.5})
    app = app_with_routes(quick)
    done = threading.Event()

    async def work() -> None:
        await asyncio.sleep(2 * quick.request_seconds)
        done.set()

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        tasks.add_task(work)

    with serving(app, quick):
        with send(quick, request("GET /later")) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert done.wait(TIMEOUT)


def test_a_client_that_does_not_read_is_disconnected(app: FastAPI, settings: Settings) -> None:
    with (
        serving(app, settings.model_copy(update={"send_seconds": 0.5})) as server,
        send(settings, request("GET /large")) as connection,
    ):
        connection.recv(1)
        until(lambda: not server.server_state.connections)
        assert len(read_all(connection)) < 50 * MEGABYTE


def test_an_upload_over_the_limit_is_rejected_before_it_ends(
    app: FastAPI, settings: Settings
) -> None:
    chunk = b"%x\r\n%s\r\n" % (MEGABYTE, b"x" * MEGABYTE)
    with serving(app, settings) as server:
        before, sent = psutil.Process().memory_info().rss, 0
        with send(settings, request("POST /count", CHUNKED)) as connection:
            while sent < 100 and not select.select([connection], [], [], 0)[0]:
                connection.sendall(chunk)
                sent += 1
            response = read_all(connection)
            assert response.startswith(b"HTTP/1.1 413 ")
            assert b"connection: close" in response.lower()
            assert sent < 50
            until(lambda: not server.server_state.connections)  # Without waiting for the client.
        assert psutil.Process().memory_info().rss - before < 20 * MEGABYTE


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("rejected", BODIES)
def test_a_large_or_malformed_body_is_rejected(
    app: FastAPI, settings: Settings, method: str, rejected: tuple[str, bytes, int]
) -> None:
    header, body, status = rejected
    small = settings.model_copy(update={"max_body_bytes": 100})
    with serving(app, small), send(small, request(f"{method} /count", header) + body) as connection:
        response = read_all(connection)
    assert response.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in response
    assert response.lower().count(b"connection: close") == 1
