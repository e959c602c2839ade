"""A fake cluster for `make deploy`: a `kubectl` that records its calls.

It passes `kubectl kustomize` on to the real one.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tools.pythons import UV, outside

from .baking import Baker

Object = dict[str, Any]

KUBECTL = shutil.which("kubectl")

IMAGE = "registry.example.com/team/order-service"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
RELEASE = f"{IMAGE}@{DIGEST}"
FAKE_KUBECTL = """#!{python}
import json, pathlib, subprocess, sys

folder, words = pathlib.Path(__file__).parent, sys.argv[1:]
if words[0] == "kustomize":
    sys.exit(subprocess.call(["{real}", *words]))
calls = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
stdin = sys.stdin.read() if "--filename=-" in words else ""
with (folder / "calls").open("a") as file:
    print(json.dumps({{"words": words, "stdin": stdin}}), file=file)
command = " ".join(words)
for expected, (status, text) in json.loads((folder / "results").read_text()).items():
    if command.startswith(expected) or (expected in stdin):
        print(text, file=sys.stderr if status else sys.stdout)
        sys.exit(status)
if command.startswith("get job/") and any(words[1][4:] in call["stdin"] for call in calls):
    print(json.dumps({{"status": {{"conditions": [{{"type": "Complete", "status": "True"}}]}}}}))
"""
FAILED = json.dumps({"status": {"conditions": [{"type": "Failed", "status": "True"}]}})


@dataclass
class Cluster:
    """A service, and a cluster in which every command succeeds except for those in `results`."""

    service: Path
    programs: Path
    python: str
    results: dict[str, tuple[int, str]] = field(default_factory=dict)

    def deploy(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run("deploy", **variables)

    def run(self, module: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a module of `delivery`."""
        (self.programs / "calls").write_text("")
        (self.programs / "results").write_text(json.dumps(self.results))
        path = {"PATH": f"{self.programs}{os.pathsep}{outside()['PATH']}"}
        return subprocess.run(
            [self.python, "-m", f"delivery.{module}"],
            cwd=self.service,
            env=outside() | path | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.programs / "calls").read_text().splitlines()]

    def commands(self) -> list[str]:
        """Return the commands without options; of `apply`, with the types of the objects."""
        return [
            " ".join([word for word in call["words"] if not word.startswith("--")] + types(call))
            for call in self.calls()
        ]

    def applied(self) -> list[Object]:
        """Return all objects that were applied."""
        return [found for call in self.calls() for found in yaml.safe_load_all(call["stdin"])]

    def add(self, program: str, text: str) -> None:
        """Add a program beside `kubectl`."""
        (self.programs / program).write_text(text)
        (self.programs / program).chmod(0o755)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.service / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def types(call: dict[str, Any]) -> list[str]:
    return sorted({found["kind"] for found in yaml.safe_load_all(call["stdin"])})


@pytest.fixture(scope="module")
def delivery_python(cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Python that runs `make deploy`."""
    service = Baker(cookies_session).bake(kubernetes=True)
    folder = tmp_path_factory.mktemp("python")
    command = [UV, "sync", "--quiet", "--only-group", "delivery"]
    environment = outside() | {"UV_PROJECT_ENVIRONMENT": str(folder)}
    subprocess.run(command, cwd=service, env=environment, check=True)
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module", params=[{}], ids=["default"])
def deployable(request: pytest.FixtureRequest, cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(kubernetes=True, **request.param)


@pytest.fixture
def cluster(deployable: Path, delivery_python: str, tmp_path: Path) -> Cluster:
    service, programs = tmp_path / "service", tmp_path / "programs"
    shutil.copytree(deployable, service)
    programs.mkdir()
    made = Cluster(service, programs, delivery_python)
    made.add("kubectl", FAKE_KUBECTL.format(python=sys.executable, real=KUBECTL))
    return made


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the error message of a failed command, which is one line."""
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    return line
