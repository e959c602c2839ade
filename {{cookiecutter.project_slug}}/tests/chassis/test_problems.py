"""Every error is a problem document that repeats nothing of what was sent."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

MEMBERS = {"type", "title", "status", "instance", "request_id"}


async def ask(app: FastAPI, method: str, path: str, **options: object) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/secret-path", 404),
        ("GET", "/livez/", 404),
        ("DELETE", "/livez", 405),
        ("BREW", "/livez", 405),
    ],
)
async def test_an_unknown_path_or_method_is_a_problem(
    settings: Settings, method: str, path: str, status: int
) -> None:
    answer = await ask(create_app(settings, Readiness()), method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() >= MEMBERS
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret-path" not in answer.text


async def test_a_method_that_is_not_allowed_is_told_which_are(settings: Settings) -> None:
    app = create_app(settings, Readiness())

    @app.put("/thing")
    async def put() -> None: ...

    @app.delete("/thing")
    async def delete() -> None: ...

    for method in ("GET", "OPTIONS", "BREW"):
        answer = await ask(app, method, "/thing")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, PUT")


class Cat(BaseModel, extra="forbid"):
    kind: Literal["cat"]
    lives: dict[str, int]


class Dog(BaseModel):
    kind: Literal["dog"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/pets", {"kind": "hunter2"}, None),
        ("/pets", {"kind": "cat", "lives": {"hunter2": "hunter2"}}, None),
        ("/cats", {"kind": "cat", "lives": {"hunter2": "hunter2"}}, "/lives"),
        ("/cats", {"kind": "cat", "lives": {}, "hunter2": 1}, None),
        ("/cats", ["hunter2"], None),
    ],
)
async def test_nothing_that_was_sent_is_repeated(
    settings: Settings, path: str, body: object, pointer: str | None
) -> None:
    app = create_app(settings, Readiness())

    @app.post("/cats")
    async def add_cat(cat: Cat) -> None: ...

    @app.post("/pets")
    async def add_pet(pet: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None: ...

    answer = await ask(app, "POST", path, json=body)
    assert answer.status_code == 422
    assert "hunter2" not in answer.text
    assert answer.json()["errors"][0].get("pointer") == pointer


async def test_a_fault_of_ours_is_a_problem_and_tells_nothing(settings: Settings) -> None:
    app = create_app(settings, Readiness())

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("hunter2")

    with capture_logs():
        answer = await ask(app, "GET", "/fault")
    assert answer.status_code == 500
    assert answer.json().keys() == MEMBERS
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_body_over_the_limit_is_a_problem(
    settings: Settings, method: str, chunked: bool
) -> None:
    app = create_app(settings.model_copy(update={"max_body_bytes": 100}), Readiness())

    @app.api_route("/echo", methods=["GET", "POST"])
    async def echo(body: dict[str, str]) -> dict[str, str]:
        return body

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10

    content = chunks() if chunked else b"x" * 101
    answer = await ask(app, method, "/echo", content=content)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
