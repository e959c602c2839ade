"""Behind a proxy that strips a path prefix; a plain ASGI call stands for the proxy."""

import httpx
import pytest
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.http.middleware import ProxyMiddleware
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

PREFIX = {"X-Forwarded-Prefix": "/shop"}


async def get(
    settings: Settings, path: str, headers: dict[str, str], peer: str = "127.0.0.1"
) -> httpx.Response:
    app = create_app(settings, Readiness())

    @app.get("/shop/thing")
    async def thing() -> None: ...

    transport = httpx.ASGITransport(ProxyMiddleware(app, settings), client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("root_path", "headers", "prefix"),
    [
        ("/shop", {}, "/shop"),
        ("", PREFIX, "/shop"),
        ("/other", {"X-Forwarded-Prefix": "/shop/"}, "/shop"),
        ("", {}, ""),
        ("", {"X-Forwarded-Prefix": "//evil.example"}, ""),
        ("", {"X-Forwarded-Prefix": "/');alert('"}, ""),
    ],
)
async def test_the_prefix_that_a_proxy_strips_is_part_of_the_docs(
    settings: Settings, root_path: str, headers: dict[str, str], prefix: str
) -> None:
    settings = settings.model_copy(update={"root_path": root_path})
    page = await get(settings, "/docs", headers)
    assert f"'{prefix}/openapi.json'" in page.text
    assert "script-src" in page.headers["content-security-policy"]
    document = (await get(settings, "/openapi.json", headers)).json()
    assert document["servers"][0] == {"url": prefix or "/"}


async def test_a_trusted_proxy_is_recognized_by_an_ipv6_listener(settings: Settings) -> None:
    document = (await get(settings, "/openapi.json", PREFIX, "::ffff:127.0.0.1")).json()
    assert document["servers"][0] == {"url": "/shop"}


async def test_a_client_cannot_choose_the_prefix(settings: Settings) -> None:
    document = (await get(settings, "/openapi.json", PREFIX, "192.0.2.1")).json()
    assert document["servers"] == [{"url": "/"}]


async def test_a_path_that_begins_like_the_prefix_is_routed_and_logged_as_received(
    settings: Settings,
) -> None:
    with capture_logs() as lines:
        response = await get(settings, "/shop/thing", PREFIX)
    assert response.status_code == 200
    assert (lines[0]["route"], lines[0]["path"]) == ("/shop/thing", "/shop/thing")
