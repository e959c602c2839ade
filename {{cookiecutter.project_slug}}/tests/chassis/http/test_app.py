"""The application: problem documents, security headers, CORS, readiness, request log."""

import asyncio
import re
from contextlib import nullcontext
from typing import Annotated, Literal

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Response
from pydantic import BaseModel, Field
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis import TEMPLATE
from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.http.app import create_http_app
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

MEMBERS = {"type", "title", "status", "instance", "request_id"}
ORIGIN = "https://shop.example"
PROBLEM = "application/problem+json"


class Cat(BaseModel, extra="forbid"):
    kind: Literal["cat"]
    lives: dict[str, int]


class Dog(BaseModel):
    kind: Literal["dog"]


def an_app(settings: Settings, readiness: Readiness | None = None, **changes: object) -> FastAPI:
    """Return the application with routes for tests and changed settings."""
    app = create_app(settings.model_copy(update=changes), readiness or Readiness())

    @app.get("/error")
    async def error() -> None:
        raise RuntimeError("hunter2")

    @app.get("/cached")
    async def cached() -> Response:
        return Response(headers={"Cache-Control": "max-age=60"})

    @app.put("/thing")
    @app.delete("/thing")
    async def change() -> None: ...

    @app.post("/cats")
    async def add_cat(cat: Cat) -> None: ...

    @app.post("/pets")
    async def add_pet(pet: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None: ...

    return app


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return an_app(settings)


async def send(app: FastAPI, method: str, path: str, **options: object) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("path", "status"), [("/hunter2", 404), ("/livez/", 404), ("/error", 500)])
async def test_an_error_response_is_a_problem_without_details(
    app: FastAPI, path: str, status: int
) -> None:
    with capture_logs():
        response = await send(app, "GET", path)
    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == PROBLEM
    assert response.json().keys() == MEMBERS
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert "hunter2" not in response.text


async def test_dependencies_of_routers_can_be_overridden(settings: Settings) -> None:
    async def dependency() -> str:
        return "given"

    async def route(value: Annotated[str, Depends(dependency)]) -> str:
        return value

    direct, outer, inner = (APIRouter(prefix=f"/{name}") for name in ("direct", "outer", "inner"))
    direct.get("")(route)
    inner.get("")(route)
    outer.include_router(inner)
    app = create_http_app(settings, Readiness(), lambda _: nullcontext(), direct, outer)
    app.dependency_overrides[dependency] = lambda: "replaced"
    for path in ("/direct", "/outer/inner"):
        assert (await send(app, "GET", path)).json() == "replaced"


async def test_an_unknown_method_gets_405_with_allow(app: FastAPI) -> None:
    for method in ("GET", "OPTIONS", "BREW"):
        response = await send(app, method, "/thing")
        assert (response.status_code, response.headers["allow"]) == (405, "DELETE, PUT")


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
async def test_a_validation_error_does_not_echo_the_input(
    app: FastAPI, path: str, body: object, pointer: str | None
) -> None:
    response = await send(app, "POST", path, json=body)
    assert response.status_code == 422
    assert "hunter2" not in response.text
    assert response.json()["errors"][0].get("pointer") == pointer


DOCKERFLOW = {
    "/__lbheartbeat__": "/livez",
    "/__heartbeat__": "/readyz",
    "/__version__": "/version",
}


@pytest.mark.parametrize(("alias", "path"), DOCKERFLOW.items())
async def test_health_endpoints_have_the_names_of_dockerflow(
    app: FastAPI, alias: str, path: str
) -> None:
    with capture_logs():
        responses = [await send(app, "GET", each) for each in (alias, path)]
    assert [response.status_code for response in responses] == [200, 200]
    assert responses[0].content == responses[1].content
    assert alias not in app.openapi()["paths"]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/version", "/docs", "/openapi.json"])
async def test_head_is_served_like_get(app: FastAPI, path: str) -> None:
    with capture_logs() as lines:
        head, get = await send(app, "HEAD", path), await send(app, "GET", path)
    assert (head.status_code, head.headers["content-type"]) == (200, get.headers["content-type"])
    assert [line["method"] for line in lines] == ["HEAD", "GET"]
    assert lines[0]["route"] == lines[1]["route"]


@pytest.mark.parametrize("path", ["/livez", "/no/such/path", "/error", "/docs", "/openapi.json"])
async def test_every_response_has_security_headers(app: FastAPI, path: str) -> None:
    with capture_logs():
        headers = (await send(app, "GET", path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert ("script-src" in headers["content-security-policy"]) == (path == "/docs")
    assert not {"server", "strict-transport-security"} & headers.keys()
    assert "access-control-allow-origin" not in headers


async def test_the_content_security_policy_allows_the_assets_of_the_docs(app: FastAPI) -> None:
    page = await send(app, "GET", "/docs")
    policy = page.headers["content-security-policy"].replace(";", " ").split()
    addresses = [part.split('"')[0] for part in page.text.split('"https://')[1:]]
    assert len(addresses) == 3
    allowed = tuple(word.removeprefix("https://") for word in policy)
    assert [address for address in addresses if not address.startswith(allowed)] == []


async def test_handlers_and_settings_override_headers(settings: Settings) -> None:
    app = an_app(settings, hsts_seconds=3600, docs_enabled=False)
    headers = (await send(app, "GET", "/cached")).headers
    assert headers.get_list("cache-control") == ["max-age=60"]
    assert headers["strict-transport-security"] == "max-age=3600"
    for path in ("/docs", "/openapi.json"):
        assert (await send(app, "GET", path)).status_code == 404


@pytest.mark.parametrize(("origin", "allowed"), [(ORIGIN, True), ("https://evil.example", False)])
async def test_cors_allows_only_the_listed_origins(
    settings: Settings, origin: str, allowed: bool
) -> None:
    app = an_app(settings, cors_origins=f"{ORIGIN},https://b.example")
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for method, path, status in (
        ("GET", "/no/such/path", 404),
        ("GET", "/error", 500),
        ("OPTIONS", "/livez", 204),
    ):
        with capture_logs():
            response = await send(app, method, path, headers=preflight)
        assert response.status_code == status
        allows = response.headers.get("access-control-allow-origin")
        assert allows == (origin if allowed else None)
        assert "access-control-allow-credentials" not in response.headers


async def test_readiness_reports_the_type_of_a_failure_without_its_message(
    settings: Settings,
) -> None:
    app = an_app(settings, readiness := Readiness())

    async def unavailable() -> Literal["ok"]:
        raise Unavailable("database", "ConnectionTimeout") from OSError("store://user:hunter2@db")

    async def degraded() -> Literal["degraded"]:
        return "degraded"

    readiness.pings = {"cache": degraded}
    response = await send(app, "GET", "/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"cache": "degraded"}}
    readiness.pings = {"cache": degraded, "database": unavailable}
    response = await send(app, "GET", "/readyz")
    assert response.status_code == 503
    assert response.headers["content-type"] == PROBLEM
    assert response.json()["checks"] == {"cache": "degraded", "database": "ConnectionTimeout"}
    assert "hunter2" not in response.text


async def test_concurrent_probes_share_one_ping() -> None:
    pings, respond = 0, asyncio.Event()

    async def ping() -> Literal["ok"]:
        nonlocal pings
        pings += 1
        await respond.wait()
        return "ok"

    readiness = Readiness()
    readiness.pings = {"database": ping}
    first, *others = [asyncio.create_task(readiness.checks()) for _ in range(9)]
    await asyncio.sleep(0)  # All have started.
    first.cancel()  # A client that disconnects does not cancel the ping of the others.
    respond.set()
    assert await asyncio.gather(*others) == [{"database": "ok"}] * 8
    assert pings == 1
    await readiness.checks()
    assert pings == 2


async def test_version_names_the_template_and_openapi_documents_problems(app: FastAPI) -> None:
    assert (await send(app, "GET", "/version")).json()["template"] == TEMPLATE
    document = (await send(app, "GET", "/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for operations in document["paths"].values():
        for operation in operations.values():
            assert PROBLEM in operation["responses"]["default"]["content"]


@pytest.mark.parametrize(("draining", "level"), [(False, "debug"), (True, "error")])
async def test_only_successful_probes_are_logged_at_debug(
    settings: Settings, draining: bool, level: str
) -> None:
    readiness = Readiness()
    readiness.draining = draining
    with capture_logs() as lines:
        for path in ("/readyz", "/__heartbeat__", "/version"):
            await send(an_app(settings, readiness), "GET", path)
    assert [line["log_level"] for line in lines] == [level, level, "info"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a;b"])
async def test_a_request_is_logged_once_and_an_invalid_request_id_replaced(
    app: FastAPI, given: str
) -> None:
    headers = {"X-Request-ID": given, "traceparent": f"00-{'0' * 32}-{'cd' * 8}-01"}
    with capture_logs() as lines:
        response = await send(app, "GET", "/livez?token=hunter2", headers=headers)
    (line,) = lines
    assert (line["method"], line["route"], line["status"]) == ("GET", "/livez", 200)
    assert line["duration_ms"] > 0
    assert "hunter2" not in str(line)
    assert re.fullmatch("(?!0{32})[0-9a-f]{32}", response.headers["x-request-id"])
