"""Shared fixtures: an environment, its settings, the application and the real process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from pkgutil import iter_modules

import httpx
import pytest

from dev.document_settings import examples

from {{ cookiecutter.package_name }}.chassis.config.loader import load_settings
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

from .support.service import Service, free_ports, path_only
from .twelve_factor.project import image, proxies  # noqa: F401
from .twelve_factor.report import measure, pytest_terminal_summary  # noqa: F401

SUPPORT = iter_modules([str(Path(__file__).parent / "support")])
pytest_plugins = [f"tests.support.{each.name}" for each in SUPPORT if each.name != "service"]
"""The fixtures of backing services and workers."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def environment() -> dict[str, str]:
    """Return a complete environment with free ports; backing services add their URLs."""
    return path_only() | free_ports() | examples() | {"HOST": "127.0.0.1", "DRAIN_SECONDS": "0"}


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(Settings)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the application, which runs in the test process."""
    app = create_app(settings, Readiness())
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[Service]:
    """Yield a running web process."""
    with Service(environment) as service:
        yield service
