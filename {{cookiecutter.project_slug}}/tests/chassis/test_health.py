"""What the endpoints of health say, and what they do not look at."""

from typing import Literal

import httpx
import pytest
from fastapi import FastAPI

from {{ cookiecutter.package_name }}.chassis import TEMPLATE
from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def app(settings: Settings, readiness: Readiness) -> FastAPI:
    return create_app(settings.model_copy(update={"revision": "abc123"}), readiness)


async def get(app: FastAPI, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.get(path)


async def broken() -> Literal["ok"]:
    raise Unavailable("database", "ConnectionTimeout") from OSError("store://user:hunter2@db")


async def test_readiness_names_what_is_missing_and_no_more(
    app: FastAPI, readiness: Readiness
) -> None:
    readiness.pings = {"database": broken}
    answer = await get(app, "/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["checks"] == {"database": "ConnectionTimeout"}
    assert "hunter2" not in answer.text


async def test_what_the_process_can_do_without_keeps_it_ready(
    app: FastAPI, readiness: Readiness
) -> None:
    async def away() -> Literal["degraded"]:
        return "degraded"

    readiness.pings = {"cache": away}
    answer = await get(app, "/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"cache": "degraded"}}


async def test_liveness_asks_no_backing_service(app: FastAPI, readiness: Readiness) -> None:
    async def never() -> Literal["ok"]:
        raise AssertionError

    readiness.pings = {"database": never}
    assert (await get(app, "/livez")).status_code == 200


async def test_a_draining_process_is_live_but_not_ready(app: FastAPI, readiness: Readiness) -> None:
    readiness.draining = True
    ready, live = await get(app, "/readyz"), await get(app, "/livez")
    assert (ready.status_code, live.status_code) == (503, 200)
    assert ready.headers["connection"] == live.headers["connection"] == "close"


async def test_the_version_is_the_commit(app: FastAPI) -> None:
    assert (await get(app, "/version")).json()["revision"] == "abc123"


async def test_the_version_names_the_template(app: FastAPI) -> None:
    assert (await get(app, "/version")).json()["template"] == TEMPLATE


async def test_a_ready_process_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json()["checks"].values()) <= {"ok"}
