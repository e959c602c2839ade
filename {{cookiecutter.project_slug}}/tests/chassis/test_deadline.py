"""A request that takes too long ends, and says whose fault it was."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import fetch, read_all
from ..support.serving import serving
from .test_connections import ask, head


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return settings.model_copy(update={"request_seconds": 0.3})


@pytest.fixture
def app(quick: Settings) -> FastAPI:
    app = create_app(quick, Readiness())

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


def test_where_we_are_slow_it_is_503(app: FastAPI, quick: Settings) -> None:
    with capture_logs() as lines, serving(app, quick):
        answer = fetch(f"http://{quick.host}:{quick.port}/slow", "POST", content=b"body")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "retry-after" in answer.headers
    told = [line for line in lines if line["event"] == "request"]
    assert [(line["status"], line["route"]) for line in told] == [(503, "/slow")]
    assert told[0]["failure"] == "deadline exceeded"


def test_where_the_client_is_slow_it_is_408(app: FastAPI, quick: Settings) -> None:
    half = head("POST /slow", "Content-Length: 10") + b"12345"
    with capture_logs() as lines, serving(app, quick), ask(quick, half) as connection:
        fields, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert fields.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in fields.lower()
    assert json.loads(body)["status"] == 408
    assert [line["status"] for line in lines if line["event"] == "request"] == [408]


def test_an_answer_that_does_not_end_is_cut_off(app: FastAPI, quick: Settings) -> None:
    with capture_logs() as lines, serving(app, quick):
        with ask(quick, head("GET /endless")) as connection:
            answer = read_all(connection)
        with ask(quick, head("GET /livez", "Connection: close")) as connection:
            assert read_all(connection).startswith(b"HTTP/1.1 200 ")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\ndrop\r\n")  # An answer that is whole ends with an empty chunk.
    told = [line.get("failure") for line in lines if line["event"] == "request"]
    assert told == ["deadline exceeded", None]
    assert "exc_info" not in str(lines)
