"""A cluster for `make deploy`: a stand-in for `kubectl` that records its calls.

The real `kubectl` renders the manifests.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from .baking import Baker
from .fake_programs import FakePrograms

KUBECTL = shutil.which("kubectl")

IMAGE = "registry.example.com/team/order-service"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
RELEASE = f"{IMAGE}@{DIGEST}"
FAKE_KUBECTL = """#!{python}
import json, pathlib, re, subprocess, sys

folder, words = pathlib.Path(__file__).parent, sys.argv[1:]
if words[0] in {{"kustomize", "config"}} and "current-context" not in words:
    sys.exit(subprocess.call(["{real}", *words]))
read = sys.stdin.read() if "--from-env-file=/dev/stdin" in words else ""
with (folder / "calls").open("a") as file:
    print(json.dumps({{"words": ["kubectl", *words], "stdin": read}}), file=file)
if "--dry-run=server" in words:
    print((folder / "processes").read_text(), end="")
responses = json.loads((folder / "responses").read_text())
for pattern, (first, *others) in responses.items():
    if re.search(pattern, " ".join(words)):
        responses[pattern] = others or [first]
        (folder / "responses").write_text(json.dumps(responses))
        status, text = first
        print(text, file=sys.stderr if status else sys.stdout)
        sys.exit(status)
"""
Object = dict[str, Any]


@dataclass
class Cluster(FakePrograms):
    """A service and its cluster; a command succeeds without output unless it is in `responses`.

    These are exit codes and outputs by a pattern of the command; the last one is repeated.
    """

    responses: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def make(self, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (self.programs / "responses").write_text(json.dumps(self.responses))
        return super().make(*targets, **variables)

    def steps(self) -> list[str]:
        """Return the calls of `kubectl` without options; of `apply`, the objects."""
        found = []
        for call in self.calls():
            words = [word for word in call["words"][1:] if not word.startswith("--")]
            if "--dry-run=server" in call["words"]:
                continue
            if words[0] == "apply":
                selector = call["words"][call["words"].index("--selector") + 1]
                words = ["apply", *(name(each) for each in self.selected(selector))]
            found.append(" ".join(words))
        return found

    def objects(self) -> list[Object]:
        """Return the objects that were rendered for the last deployment."""
        text = (self.service / ".reports/deploy/objects.yaml").read_text()
        return [each for each in yaml.safe_load_all(text) if each]

    def selected(self, selector: str) -> list[Object]:
        return [
            each for each in self.objects() if matches(each["metadata"].get("labels", {}), selector)
        ]

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.service / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def matches(labels: dict[str, str], selector: str) -> bool:
    """Return whether labels match a selector of `kubectl`."""
    for requirement in selector.split(","):
        key, operator, value = re.fullmatch(r"!?([^!=]+)(!?=)?(.*)", requirement).groups()  # type: ignore[union-attr]
        if requirement.startswith("!"):
            fulfilled = key not in labels
        elif operator:
            fulfilled = (labels.get(key) == value) == (operator == "=")
        else:
            fulfilled = key in labels
        if not fulfilled:
            return False
    return True


def name(found: Object) -> str:
    return f"{found['kind']}/{found['metadata']['name']}"


@pytest.fixture(scope="module", params=[{}], ids=["default"])
def deployable(request: pytest.FixtureRequest, cookies_session: Cookies) -> Path:
    answers = {"kubernetes": True, "release": True} | request.param
    return Baker(cookies_session).bake(**answers)


@pytest.fixture
def cluster(deployable: Path, tmp_path: Path) -> Cluster:
    service = shutil.copytree(deployable, tmp_path / "service")
    programs = tmp_path / "programs"
    programs.mkdir()
    processes = "deployment.apps/order-service-web\n"
    if (service / "deploy/base/worker.yaml").exists():
        processes += "deployment.apps/order-service-worker\n"
    if (service / "deploy/base/cleanup.yaml").exists():
        processes += "cronjob.batch/order-service-cleanup\n"
    (programs / "processes").write_text(processes)
    made = Cluster(service, programs)
    made.write("kubectl", FAKE_KUBECTL.format(python=sys.executable, real=KUBECTL))
    return made
