"""What browsers are told with each answer, and which of them may call."""

import httpx
import pytest
from fastapi import FastAPI, Response
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.config.loader import ConfigurationError, load_settings
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

ORIGIN = "https://shop.example"


async def ask(app: FastAPI, method: str, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, path, headers=named)


@pytest.mark.parametrize("path", ["/livez", "/no/such/path", "/fault", "/docs", "/openapi.json"])
async def test_each_answer_tells_browsers_to_take_care(settings: Settings, path: str) -> None:
    app = create_app(settings, Readiness())

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError

    with capture_logs():
        headers = (await ask(app, "GET", path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert ("script-src" in headers["content-security-policy"]) == (path == "/docs")
    assert "server" not in headers
    assert "strict-transport-security" not in headers
    assert "access-control-allow-origin" not in headers


async def test_the_page_of_the_documentation_may_load_what_it_names(settings: Settings) -> None:
    page = await ask(create_app(settings, Readiness()), "GET", "/docs")
    policy = page.headers["content-security-policy"]
    addresses = [part.split('"')[0] for part in page.text.split('"https://')[1:]]
    assert len(addresses) == 3
    for address in addresses:
        places = [word.removeprefix("https://") for word in policy.replace(";", " ").split()]
        assert any(address.startswith(place) for place in places), address


async def test_what_a_handler_says_of_caching_is_kept(settings: Settings) -> None:
    app = create_app(settings, Readiness())

    @app.get("/kept")
    async def kept() -> Response:
        return Response(headers={"Cache-Control": "max-age=60"})

    headers = (await ask(app, "GET", "/kept")).headers
    assert headers.get_list("cache-control") == ["max-age=60"]


async def test_https_may_be_insisted_on(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"hsts_seconds": 3600}), Readiness())
    headers = (await ask(app, "GET", "/livez")).headers
    assert headers["strict-transport-security"] == "max-age=3600"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_documentation_may_be_left_out(settings: Settings, path: str) -> None:
    app = create_app(settings.model_copy(update={"docs_enabled": False}), Readiness())
    assert (await ask(app, "GET", path)).status_code == 404


async def test_only_the_sites_that_are_named_may_call(settings: Settings) -> None:
    app = create_app(
        settings.model_copy(update={"cors_origins": f"{ORIGIN},https://b.example"}), Readiness()
    )
    allowed = await ask(app, "GET", "/no/such/path", Origin=ORIGIN)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in allowed.headers
    refused = await ask(app, "GET", "/livez", Origin="https://evil.example")
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(("origin", "allowed"), [(ORIGIN, True), ("https://evil.example", False)])
async def test_a_browser_that_asks_before_is_told(
    settings: Settings, origin: str, allowed: bool
) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": ORIGIN}), Readiness())
    asked = {"Origin": origin, "Access_Control_Request_Method": "POST"}
    answer = await ask(app, "OPTIONS", "/livez", **asked)
    assert answer.status_code == 204
    assert ("access-control-allow-origin" in answer.headers) == allowed


@pytest.mark.parametrize("given", ["shop.example", "https://a.example/path", "ftp://a.example"])
def test_what_is_no_origin_is_refused(
    settings: Settings, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.cors_origins == ""
    monkeypatch.setenv("CORS_ORIGINS", f"{ORIGIN},{given}")
    with pytest.raises(ConfigurationError):
        load_settings(Settings)


def test_origins_are_a_list_with_commas(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", f" {ORIGIN}, http://localhost:3000 ")
    assert (
        load_settings(Settings).cors_origins == f"{ORIGIN},http://localhost:3000" != settings.host
    )
