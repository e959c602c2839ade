"""The service under test, as its files and its interface describe it."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
import yaml

from ..support.service import PATIENCE, path_only, run

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


def not_applicable(why: str) -> NoReturn:
    """End a check that asks for something which this service does not have."""
    pytest.skip(f"not applicable: {why}")


def git(*arguments: str) -> str:
    """Ask the repository."""
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607  # Git is wherever the developer's PATH says.
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {arguments[0]}: {done.stderr.strip()}"
    return done.stdout


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
    return [(first, rest.strip()) for first, _, rest in map(_split, joined.splitlines()) if first]


def _split(line: str) -> tuple[str, str, str]:
    return line.strip().partition(" ")


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
        answer = httpx.post(f"{url}{self.path}", json=self.example, timeout=PATIENCE)
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
