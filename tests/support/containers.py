"""A service in containers: its image, its Compose project, and a container of the image alone."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import PATIENCE, free_ports
from tests.support.template import OPTIONS
from tests.support.variants import BARE, COMBINATIONS, FULLEST
from tools import images
from tools.pythons import outside

Run = Callable[..., str]

in_every_combination = pytest.mark.parametrize("service", COMBINATIONS, indirect=True)
in_some = pytest.mark.parametrize("service", ["default", BARE, FULLEST], indirect=True)
in_the_default = pytest.mark.parametrize("service", ["default"], indirect=True)
in_the_bare = pytest.mark.parametrize("service", [BARE], indirect=True)

WITHOUT_RIGHTS = [
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pids-limit=64",
    "--network=none",
]


@pytest.fixture(scope="session")
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Iterator[Path]:
    """A service for the default Python, just rendered: no lock, no `.env`."""
    folder = Baker(cookies_session).bake(
        project_slug=f"containers-{list(COMBINATIONS).index(request.param)}",
        python_version=OPTIONS["python_version"][0],
        **COMBINATIONS[request.param],
    )
    with images.mongodb_image(list(folder.glob("compose/*.yaml"))):
        yield folder


@pytest.fixture(scope="session")
def compose(service: Path) -> Run:
    """Run `docker compose` in the service; give its standard output."""

    def run(*arguments: str, **variables: str) -> str:
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=service,
            env=outside() | {"REVISION": "abc123"} | variables,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"docker compose {arguments}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


def docker(*arguments: str) -> str:
    """Run `docker` and give its standard output."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="session")
def up(service: Path, compose: Run) -> Iterator[str]:
    """The service in containers, straight after rendering; yields the address of web."""
    assert not (service / "uv.lock").exists()
    port = str(free_ports(1)[0])
    try:
        compose("up", "--build", "--wait", PORT=port)
        yield f"http://127.0.0.1:{port}"
    finally:
        compose("down", "--volumes", "--rmi", "local")


@pytest.fixture(scope="session")
def package(service: Path) -> str:
    return service.name.replace("-", "_")


@pytest.fixture(scope="session")
def image(up: str, service: Path) -> str:
    del up
    return f"{service.name}:abc123"


@pytest.fixture
def alone(image: str) -> Iterator[Run]:
    """Start a container of the image with nothing around it; give its id."""
    started = []

    def start(*options: str, memory: str = "256m") -> str:
        bounds = [f"--memory={memory}", f"--memory-swap={memory}"]
        started.append(docker("run", "--detach", *WITHOUT_RIGHTS, *bounds, *options, image))
        return started[-1]

    yield start
    for container in started:
        docker("rm", "--force", container)


def state(container: str, what: str) -> str:
    return docker("inspect", "--format", f"{{{{.State.{what}}}}}", container)


def ours(compose: Run) -> list[str]:
    """Return the processes of the service that run until they are stopped."""
    services = compose("config", "--services").split()
    return [name for name in ("web", "worker") if name in services]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline
