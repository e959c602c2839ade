"""A service in containers: its Compose project and its image."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import must_run
from tests.support.running import free_ports
from tests.support.template import OPTIONS
from tests.support.variants import BARE, COMBINATIONS, CONTAINED, FULLEST
from tools import images

Run = Callable[..., str]

every_answer = pytest.mark.parametrize("service", CONTAINED, indirect=True)
some_combinations = pytest.mark.parametrize("service", ["default", BARE, FULLEST], indirect=True)
only_default = pytest.mark.parametrize("service", ["default"], indirect=True)
only_fullest = pytest.mark.parametrize("service", [FULLEST], indirect=True)
only_bare = pytest.mark.parametrize("service", [BARE], indirect=True)


@pytest.fixture(scope="session")
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Iterator[Path]:
    """A new render for the default Python, without a lock and `.env`."""
    folder = Baker(cookies_session).bake(
        project_slug=f"containers-{list(COMBINATIONS).index(request.param)}",
        python_version=OPTIONS["python_version"][0],
        **COMBINATIONS[request.param],
    )
    with images.images(list(folder.glob("compose/*.yaml"))):
        yield folder


@pytest.fixture(scope="session")
def compose(service: Path) -> Run:
    """Return a function that runs `docker compose` and returns its standard output."""

    def run(*arguments: str, **variables: str) -> str:
        variables = {"REVISION": "abc123"} | variables
        return must_run("docker", "compose", *arguments, cwd=service, **variables)

    return run


def docker(*arguments: str, stdin: str | None = None) -> str:
    """Run `docker` and return its standard output."""
    done = subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"docker {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="session")
def up(service: Path, compose: Run) -> Iterator[str]:
    """Start the Compose project of a new render; yield the URL of web."""
    assert not (service / "uv.lock").exists()
    port = str(free_ports(1)[0])
    try:
        compose("up", "--build", "--wait", PORT=port)
        yield f"http://127.0.0.1:{port}"
    finally:
        compose("down", "--volumes", "--rmi", "local")


@pytest.fixture(scope="session")
def image(up: str, service: Path) -> str:
    del up
    return f"{service.name}:abc123"


def processes(compose: Run) -> list[str]:
    """Return the long-running processes of the service, without its backing services."""
    services = compose("config", "--services").split()
    return [name for name in ("web", "worker") if name in services]
