"""What many tests need: an environment, settings made of it, the application, the real process."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from {{ cookiecutter.package_name }}.chassis.config.loader import load_settings
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.main import create_app
from {{ cookiecutter.package_name }}.settings import Settings

{% if cookiecutter.worker %}
from .support.job_fixtures import *  # noqa: F403
{% endif %}
{% if cookiecutter.database == "mongodb" %}
from .support.mongodb_server import *  # noqa: F403
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from .support.postgres_server import *  # noqa: F403
{% endif %}
{% if cookiecutter.redis %}
from .support.redis_server import *  # noqa: F403
{% endif %}
from .support.service import Service, free_ports, path_only
from .twelve_factor.project import image, proxies  # noqa: F401
from .twelve_factor.report import measure, pytest_terminal_summary  # noqa: F401


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def environment() -> dict[str, str]:
    """Return the whole environment of a process that can serve, on ports that are free.

    The modules of backing services add theirs.
    """
    return path_only() | free_ports() | {"HOST": "127.0.0.1", "DRAIN_SECONDS": "0"}


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(Settings)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the application, which runs in this process."""
    app = create_app(settings, Readiness())
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[Service]:
    """Yield a process that belongs to the test, which may do with it whatever it likes."""
    with Service(environment) as service:
        yield service


@pytest.fixture(scope="session")
def running() -> Iterator[Callable[[dict[str, str]], Service]]:
    """Return the one process that runs with an environment, whatever its ports, until the end."""
    services: dict[frozenset[tuple[str, str]], Service] = {}
    with ExitStack() as stack:

        def find(environment: dict[str, str]) -> Service:
            known = frozenset((environment | dict.fromkeys(free_ports(), "")).items())
            if known not in services:
                services[known] = stack.enter_context(Service(environment))
            return services[known]

        yield find


@pytest.fixture
def shared(environment: dict[str, str], running: Callable[[dict[str, str]], Service]) -> Service:
    """Return a process that other tests ask as well: none may change or stop it."""
    service = running(environment)
    service.skip_lines()
    return service
