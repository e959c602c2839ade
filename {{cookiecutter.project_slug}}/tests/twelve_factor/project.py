"""The service under test: its files, commands, OpenAPI document and image; time limits."""

import ast
import atexit
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn
from uuid import uuid4

import httpx
import pytest
import yaml

from ..support.service import Proxy, fetch, path_only, run

ROOT = Path(__file__).parents[2]

BACKING_SERVICES: list[str] = []
"""The checks of `/readyz`, by name; for each there is a fixture `<name>_proxy`."""
{% if cookiecutter.database != "none" %}
BACKING_SERVICES.append("database")
{% endif %}
{% if cookiecutter.redis %}
BACKING_SERVICES.append("redis")
{% endif %}


def _limit(name: str, default: float) -> float:
    """Return a time limit; `CONFORMANCE_<NAME>` in the environment overrides the default."""
    return float(os.environ.get(f"CONFORMANCE_{name}", default))


READY_SECONDS = _limit("READY_SECONDS", 10)  # From start to readiness, median.
FAILED_START_SECONDS = _limit("FAILED_START_SECONDS", 10)  # From start to exit.
OUTAGE_SECONDS = _limit("OUTAGE_SECONDS", 10)  # For a response during an outage.
RECOVERY_SECONDS = _limit("RECOVERY_SECONDS", 10)  # From the end of an outage to readiness.
CONCURRENT_SECONDS = _limit("CONCURRENT_SECONDS", 1)  # For a response while other requests hang.
LOG_SECONDS = _limit("LOG_SECONDS", 2)  # From a response to its log line.
STOP_MARGIN_SECONDS = _limit("STOP_MARGIN_SECONDS", 5)  # For an exit, beyond the configured time.
COMPOSE_SECONDS = _limit("COMPOSE_SECONDS", 120)  # For `docker compose up --build --wait`.


@pytest.fixture
def proxies(request: pytest.FixtureRequest) -> dict[str, Proxy]:
    """Return the proxy in front of each backing service."""
    return {name: request.getfixturevalue(f"{name}_proxy") for name in BACKING_SERVICES}


def not_applicable(reason: str) -> NoReturn:
    """Skip a check of something that this service does not have."""
    pytest.skip(f"not applicable: {reason}")


def run_program(*command: str, **variables: str) -> str:
    """Run a program from `PATH` in the project folder; return its output."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


docker = partial(run_program, "docker")


LIST_COMMITTED = ("git", "ls-tree", "--name-only", "HEAD")
"""Fails or lists nothing if no file of the project is committed."""


@cache
def _repository() -> dict[str, str]:
    """Return variables for git: none, or before the first commit those of an empty repository."""
    if subprocess.run(LIST_COMMITTED, cwd=ROOT, capture_output=True, check=False).stdout:
        return {}
    empty = TemporaryDirectory()
    atexit.register(empty.cleanup)
    run_program("git", "init", "--quiet", empty.name)
    return {"GIT_DIR": f"{empty.name}/.git", "GIT_WORK_TREE": str(ROOT)}


def is_committed() -> bool:
    """Return whether files of the project are committed."""
    return not _repository()


def git(*arguments: str) -> str:
    """Run git in the project folder, before the first commit with an empty repository."""
    return run_program("git", *arguments, **_repository())


def read(path: str) -> str:
    """Return the text of a file of the project."""
    return (ROOT / path).read_text(encoding="utf-8")


def declared() -> dict[str, Any]:
    """Return the table `project` of `pyproject.toml`."""
    table: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return table


def tracked(pattern: str = "*") -> list[Path]:
    """Return the files in the repository that match a pattern, at least one.

    Before the first commit, these are the files that git does not ignore.
    """
    options = () if is_committed() else ("--others", "--exclude-standard")
    paths = [ROOT / name for name in git("ls-files", "-z", *options).split("\0") if name]
    found = [path for path in paths if path.match(pattern)]
    assert found, f"{pattern} is not in the repository"
    return found


def syntax_trees(folder: str = "src") -> Iterator[tuple[Path, ast.Module]]:
    """Parse every module in a folder of the project."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@cache
def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments."""
    without_comments = re.sub(r"(?m)^\s*#.*\n", "", read("Dockerfile"))
    joined = re.sub(r"\\\n", " ", without_comments)
    return re.findall(r"(?m)^[ \t]*(\S+)[ \t]+(.*\S)", joined)


def runtime_stage() -> list[tuple[str, str]]:
    """Return the instructions of the last stage of the Dockerfile."""
    starts = [number for number, (name, _) in enumerate(dockerfile()) if name == "FROM"]
    return dockerfile()[starts[-1] :]


def image_command() -> list[str]:
    """Return the entrypoint and the command of the image, which must be in exec form."""
    instructions = dict(runtime_stage())
    words: list[str] = []
    for text in (instructions["ENTRYPOINT"], instructions.get("CMD", "[]")):
        assert text.startswith("["), f"shell form, which does not pass signals on: {text}"
        words += json.loads(text)
    return words


@cache
def compose_services() -> dict[str, dict[str, Any]]:
    """Return the services in the Compose files, by name, without what they extend."""
    services: dict[str, dict[str, Any]] = {}
    for path in tracked("compose/*.yaml"):
        services |= yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return services


def process_types() -> dict[str, list[str]]:
    """Return the commands of the processes that Compose runs from the image of this service."""
    own = {name: made for name, made in compose_services().items() if "extends" in made}
    assert own, "Compose does not run this service"
    return {name: made.get("command", [name]) for name, made in own.items()}


def long_running() -> list[str]:
    """Return the process types that run until they are stopped."""
    services = compose_services()
    return [name for name in process_types() if services[name].get("restart") == "unless-stopped"]


def is_live(environment: dict[str, str]) -> bool:
    """Return whether the service with these variables accepts connections."""
    try:
        return fetch(f"http://127.0.0.1:{environment['PORT']}/livez").status_code == 200
    except httpx.TransportError:
        return False


def commands() -> list[str]:
    """Return the commands in the help of the service."""
    return re.findall(r"(?m)^    ([a-z]\w*) ", run(path_only(), "--help").stdout)


@cache
def openapi() -> dict[str, Any]:
    """Return the OpenAPI document that the command `openapi` prints."""
    document: dict[str, Any] = json.loads(run(path_only(), "openapi").stdout)
    return document


def operations() -> list[tuple[str, str]]:
    """Return the methods and paths in the OpenAPI document."""
    return [(method, path) for path, methods in openapi()["paths"].items() for method in methods]


def get_paths() -> list[str]:
    """Return the paths in the OpenAPI document that `GET` serves without parameters."""
    return [path for method, path in operations() if method == "get" and "{" not in path]


@dataclass(frozen=True)
class Resource:
    """A resource that clients create by `POST`, with an example of a body."""

    path: str
    body: dict[str, Any]

    def split_request(self) -> tuple[bytes, bytes]:
        """Return a request that creates one, as two parts."""
        body = json.dumps(self.body).encode()
        headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
        head = f"POST {self.path} HTTP/1.1\r\nHost: service\r\n{headers}\r\n\r\n".encode()
        return head + body[:-5], body[-5:]

    def create(self, url: str) -> str:
        """Create one and return its path."""
        response = fetch(f"{url}{self.path}", "POST", json=self.body)
        assert response.status_code == 201, response.text
        return str(response.headers["location"])


def find_resource() -> Resource | None:
    """Return the first resource of the OpenAPI document that `POST` creates, with an example."""
    schemas = openapi().get("components", {}).get("schemas", {})
    for path, methods in openapi()["paths"].items():
        if "201" in methods.get("post", {}).get("responses", {}):
            body = methods["post"]["requestBody"]["content"]["application/json"]["schema"]
            schema = schemas[body["$ref"].rpartition("/")[2]]
            assert schema.get("examples"), f"POST {path}: the body has no example"
            return Resource(path, schema["examples"][0])
    return None


def example_resource() -> Resource:
    """Return a resource that `POST` creates."""
    return find_resource() or not_applicable("no resource yet: no `POST` responds with 201")


def require_docker() -> None:
    """Skip a check without Docker, or with `CONFORMANCE_DOCKER=no`."""
    if os.environ.get("CONFORMANCE_DOCKER") == "no":
        pytest.skip("CONFORMANCE_DOCKER=no")
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:  # noqa: S607
        pytest.skip("the Docker engine is unavailable")


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """Build the image and return its name."""
    require_docker()
    name = f"conformance-{uuid4().hex}"
    docker("build", "--quiet", "--build-arg", "REVISION=conformance", "--tag", name, ".")
    yield name
    docker("image", "rm", "--force", name)
