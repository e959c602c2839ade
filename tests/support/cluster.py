"""A cluster as `make deploy` sees one: a `kubectl` that writes down what it is asked.

Manifests are made by the real one.
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

KUBECTL = shutil.which("kubectl")

IMAGE = "registry.example.com/team/order-service"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
RELEASE = f"{IMAGE}@{DIGEST}"
STANDIN = """#!{python}
import json, pathlib, subprocess, sys

folder, words = pathlib.Path(__file__).parent, sys.argv[1:]
if words[0] == "kustomize":
    sys.exit(subprocess.call(["{real}", *words]))
calls = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
said = sys.stdin.read() if "--filename=-" in words else ""
with (folder / "calls").open("a") as file:
    print(json.dumps({{"words": words, "said": said}}), file=file)
asked = " ".join(words)
for wanted, (status, text) in json.loads((folder / "answers").read_text()).items():
    if asked.startswith(wanted) or (wanted in said):
        print(text, file=sys.stderr if status else sys.stdout)
        sys.exit(status)
if asked.startswith("get job/") and any(words[1].removeprefix("job/") in c["said"] for c in calls):
    print(json.dumps({{"status": {{"conditions": [{{"type": "Complete", "status": "True"}}]}}}}))
"""
FAILED = json.dumps({"status": {"conditions": [{"type": "Failed", "status": "True"}]}})


@dataclass
class Cluster:
    """A service, and a cluster that answers as a test wants it to, otherwise as if all is well."""

    service: Path
    programs: Path
    python: str
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    def run(self, module: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (self.programs / "calls").write_text("")
        (self.programs / "answers").write_text(json.dumps(self.answers))
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

    def asked(self) -> list[str]:
        """Return what was asked, without options; of what was applied, its kinds."""
        return [
            " ".join(word for word in call["words"] if not word.startswith("--")) + applied(call)
            for call in self.calls()
        ]

    def add(self, program: str, text: str) -> None:
        """Add a program that writes down how it is called, as `kubectl` does."""
        (self.programs / program).write_text(text)
        (self.programs / program).chmod(0o755)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.service / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def applied(call: dict[str, Any]) -> str:
    kinds = sorted({found["kind"] for found in yaml.safe_load_all(call["said"]) if found})
    return f" {' '.join(kinds)}" if kinds else ""


@pytest.fixture(scope="module")
def delivering_python(cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Python that `make deploy` runs."""
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
def cluster(deployable: Path, delivering_python: str, tmp_path: Path) -> Cluster:
    service, programs = tmp_path / "service", tmp_path / "programs"
    shutil.copytree(deployable, service)
    programs.mkdir()
    made = Cluster(service, programs, delivering_python)
    made.add("kubectl", STANDIN.format(python=sys.executable, real=KUBECTL))
    return made


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only line that a program ended with."""
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    return line
