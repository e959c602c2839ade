"""The command lines in deploy/README.md refer to existing targets, options, files and objects."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.kubernetes_manifests import Object, kustomize, parse

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")

SERVICES: dict[str, dict[str, Any]] = {
    "default": {},
    "bare": {"database": "none", "ci": "none"},
    "mongodb": {"database": "mongodb", "ci": "gitlab"},
    "full": {"worker": True, "redis": True, "ci": "circleci"},
    "hardest": {"project_slug": "w" * 30, "package_name": "z" * 30, "ci": "azure"},
}
SUBCOMMANDS = {"create", "rollout", "secret"}
"""Commands of `kubectl` that have subcommands."""
OBJECT = re.compile(r"(service|deployment|job|horizontalpodautoscaler)[/ ]([a-z0-9-]+)")


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(kubernetes=True, **SERVICES[request.param])


def scripts(service: Path) -> list[str]:
    text = (service / "deploy" / "README.md").read_text(encoding="utf-8")
    assert text.count("```") % 2 == 0
    found = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(found) >= 9
    return found


@cache
def known_options(command: str) -> frozenset[str]:
    """Return the options of a command of `kubectl`, from its help."""
    texts = [
        subprocess.run(["kubectl", *words], capture_output=True, text=True, check=True).stdout
        for words in ([*command.split(), "--help"], ["options"])
    ]
    assert "Usage:" in texts[0]
    return frozenset(re.findall(r"(--[a-z][a-z0-9-]*)[=\[,:']", "".join(texts)))


def missing(service: Path, line: str) -> Iterator[str]:
    """Yield what a command line refers to, but does not exist."""
    program, *words = shlex.split(line)
    if program == "make":
        yield from missing_of_make(service, words)
    elif program == "kubectl":
        yield from missing_of_kubectl(service, words)
    elif program != "kind":
        yield program


def missing_of_make(service: Path, words: list[str]) -> Iterator[str]:
    makefiles = [service / "Makefile", *service.glob("*/*.mk")]
    text = "".join(file.read_text() for file in makefiles)
    targets = re.findall(r"^([a-z]+):", text, re.MULTILINE)
    variables = dict(word.split("=", 1) for word in words if "=" in word)
    yield from (word for word in words if "=" not in word and word not in targets)
    if not (service / "deploy/overlays" / variables.get("OVERLAY", "local")).is_dir():
        yield variables["OVERLAY"]


def missing_of_kubectl(service: Path, words: list[str]) -> Iterator[str]:
    words = words[: words.index("--")] if "--" in words else words
    namespace = words[1] if words[0] == "--namespace" else ""
    command = words[2] if namespace else words[0]
    while command.split()[-1] in SUBCOMMANDS:
        command += f" {words[words.index(command.split()[-1]) + 1]}"
    options = {word.partition("=")[0] for word in words if re.match("--[a-z]", word)}
    yield from sorted(options - known_options(command))
    if "--filename" in words:
        file = words[words.index("--filename") + 1]
        yield from [] if (service / file).exists() else [file]
    for kind, name in OBJECT.findall(" ".join(words)) if namespace else []:
        if (kind, name) not in names_in(service, namespace):
            yield f"{kind}/{name} in {namespace}"


@cache
def overlays(service: Path) -> dict[str, list[Object]]:
    folders = (service / "deploy" / "overlays").iterdir()
    return {folder.name: parse(kustomize(folder)) for folder in folders}


def names_in(service: Path, namespace: str) -> set[tuple[str, str]]:
    """Return kind and name of all objects in a namespace."""
    return {
        (found["kind"].lower(), found["metadata"]["name"])
        for objects in overlays(service).values()
        for found in objects
        if found["metadata"].get("namespace") == namespace
    }


def test_command_lines_are_valid(service: Path) -> None:
    for text in scripts(service):
        check = ["shellcheck", "--shell=bash", "-"]
        subprocess.run(check, input=text, text=True, check=True)
    lines = [line for text in scripts(service) for line in text.splitlines()]
    assert [(line, each) for line in lines for each in missing(service, line)] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("make deploi OVERLAY=local", "deploi"),
        ("make deploy OVERLAY=prod", "prod"),
        ("kubectl --namespace order-service-local logs --recent 1", "--recent"),
        ("kubectl apply --filename deploy/none.yaml", "deploy/none.yaml"),
        (
            "kubectl --namespace order-service-staging logs deployment/order-service-job",
            "deployment/order-service-job in order-service-staging",
        ),
        ("helm install", "helm"),
    ],
)
def test_invalid_command_line_is_found(cookies: Cookies, line: str, expected: str) -> None:
    assert list(missing(Baker(cookies).bake(kubernetes=True), line)) == [expected]


def test_files_on_the_page_exist(service: Path) -> None:
    text = (service / "deploy" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:deploy|base|overlays|components)/[\w./-]*)`", text))
    assert len(named) >= 6
    for name in named:
        assert (service / "deploy" / name.removeprefix("deploy/")).exists(), name


def test_role_has_the_permissions_that_a_deployment_needs(service: Path) -> None:
    role, binding = yaml.safe_load_all((service / "deploy" / "access.yaml").read_text())
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    verbs = {
        resource: set(rule["verbs"]) for rule in role["rules"] for resource in rule["resources"]
    }
    assert not {verb for each in verbs.values() for verb in each} & {"*", "escalate", "bind"}
    assert verbs["secrets"] == verbs["namespaces"] == {"get"}
    for overlay in ("staging", "production"):
        for kind in {found["kind"] for found in overlays(service)[overlay]} - {"Namespace"}:
            plural = re.sub("ys$", "ies", f"{kind.lower()}s").replace("sss", "sses")
            assert verbs[plural] >= {"get", "create", "patch"}, kind
