"""The service under test, as its files, its interface and its image describe it; time limits."""

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import httpx
import pytest
import yaml

from ..support.service import TIMEOUT, Proxy, path_only, run

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"

BACKING_SERVICES: list[str] = []
"""Those that `/readyz` tells of, by the name there; a fixture `<name>_proxy` stands before each."""
{% if cookiecutter.database != "none" %}
BACKING_SERVICES.append("database")
{% endif %}
{% if cookiecutter.redis %}
BACKING_SERVICES.append("redis")
{% endif %}


def _limit(name: str, default: float) -> float:
    """Return a limit; `CONFORMANCE_<NAME>` in the environment overrides the default."""
    return float(os.environ.get(f"CONFORMANCE_{name}", default))


READY_SECONDS = _limit("READY_SECONDS", 10)  # From the start to readiness, the median of several.
REFUSAL_SECONDS = _limit("REFUSAL_SECONDS", 10)  # From a start that must fail to the exit.
OUTAGE_SECONDS = _limit("OUTAGE_SECONDS", 10)  # For a response while a backing service is down.
RECOVERY_SECONDS = _limit("RECOVERY_SECONDS", 10)  # From its return to readiness.
BYSTANDER_SECONDS = _limit("BYSTANDER_SECONDS", 1)  # For a response while others are held up.
LINE_SECONDS = _limit("LINE_SECONDS", 2)  # From a response to its log line.
STOP_MARGIN_SECONDS = _limit("STOP_MARGIN_SECONDS", 5)  # For an exit, beyond the time it is given.
COMPOSE_SECONDS = _limit("COMPOSE_SECONDS", 120)  # From `docker compose up` to everything healthy.


@pytest.fixture
def proxies(request: pytest.FixtureRequest) -> dict[str, Proxy]:
    """Return the proxy before each backing service."""
    return {name: request.getfixturevalue(f"{name}_proxy") for name in BACKING_SERVICES}


def not_applicable(why: str) -> NoReturn:
    """End a check that asks for something which this service does not have."""
    pytest.skip(f"not applicable: {why}")


def program(*command: str, **variables: str) -> str:
    """Run a program of the developer's PATH to its end and return what it prints."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


git = partial(program, "git")
docker = partial(program, "docker")


def tracked(pattern: str = "*") -> list[Path]:
    """Return the files of this name that are in the repository, at least one."""
    paths = [ROOT / name for name in git("ls-files", "-z").split("\0") if name]
    found = [path for path in paths if path.match(pattern)]
    assert found, f"no file {pattern} is in the repository"
    return found


def syntax_trees(folder: Path = SOURCE) -> Iterator[tuple[Path, ast.Module]]:
    """Parse every module below a folder."""
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@cache
def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    return re.findall(r"(?m)^[ \t]*(\S+)[ \t]+(.*\S)", joined)


def last_stage() -> list[tuple[str, str]]:
    """Return the instructions that make the image which runs."""
    starts = [number for number, (name, _) in enumerate(dockerfile()) if name == "FROM"]
    return dockerfile()[starts[-1] :]


def command_of_record(default: str = "[]") -> list[str]:
    """Return what the image runs; a command in shell form is refused."""
    said = dict(last_stage())
    words: list[str] = []
    for text in (said["ENTRYPOINT"], said.get("CMD", default)):
        assert text.startswith("["), f"a shell stands between the platform and the process: {text}"
        words += json.loads(text)
    return words


@cache
def compose() -> dict[str, dict[str, Any]]:
    """Return every service of the Compose files, by its name, without what it extends."""
    services: dict[str, dict[str, Any]] = {}
    for path in tracked("compose/*.yaml"):
        services |= yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return services


def processes() -> dict[str, list[str]]:
    """Return the processes of this service that Compose starts, with the command of each."""
    ours = {name: made for name, made in compose().items() if "extends" in made}
    assert ours, "Compose runs nothing of ours"
    return {name: made.get("command", [name]) for name, made in ours.items()}


def endless() -> list[str]:
    """Return those of our processes that run until they are told to stop."""
    return [name for name in processes() if compose()[name].get("restart") == "unless-stopped"]


def commands() -> list[str]:
    """Return what the menu of the service offers."""
    menu = run(path_only(), "--help").stdout
    return re.findall(r"(?m)^    ([a-z]\w*) ", menu)


@cache
def interface() -> dict[str, Any]:
    """Return the OpenAPI document."""
    document: dict[str, Any] = json.loads(run(path_only(), "openapi").stdout)
    return document


@dataclass(frozen=True)
class Resource:
    """Something that clients create: by `POST` of such an example, which answers where it is."""

    path: str
    example: dict[str, Any]

    def halves(self) -> tuple[bytes, bytes]:
        """Return a request to create one, in two parts: without the second there is no answer."""
        body = json.dumps(self.example).encode()
        fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
        head = f"POST {self.path} HTTP/1.1\r\nHost: service\r\n{fields}\r\n\r\n".encode()
        return head + body[:-5], body[-5:]

    def create(self, url: str) -> str:
        """Create one and return its path."""
        answer = httpx.post(f"{url}{self.path}", json=self.example, timeout=TIMEOUT)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])


def resource() -> Resource:
    """Return the first resource of the interface that can be created by its own example."""
    schemas = interface().get("components", {}).get("schemas", {})
    for path, operations in interface()["paths"].items():
        if "post" not in operations or "201" not in operations["post"]["responses"]:
            continue
        content = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = schemas[content["$ref"].rpartition("/")[2]]
        return Resource(path, schema["examples"][0])
    not_applicable("clients create nothing")


def readable_paths() -> list[str]:
    """Return every path that `GET` answers without further knowledge."""
    found = [path for path, operations in interface()["paths"].items() if "get" in operations]
    assert "/livez" in found
    return [path for path in found if "{" not in path]


def need_engine() -> None:
    """Skip where there is no engine, or `CONFORMANCE_DOCKER=no` keeps us from using it."""
    if os.environ.get("CONFORMANCE_DOCKER") == "no":
        pytest.skip("CONFORMANCE_DOCKER=no")
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:  # noqa: S607
        pytest.skip("no Docker engine answers")


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """Build the image and return its name."""
    need_engine()
    name = f"conformance-{uuid4().hex}"
    docker("build", "--quiet", "--build-arg", "REVISION=conformance", "--tag", name, ".")
    yield name
    docker("image", "rm", "--force", name)
