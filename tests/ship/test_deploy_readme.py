"""What deploy/README.md tells to type is there: targets, commands, options, files, objects."""

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

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")

SERVICES: dict[str, dict[str, Any]] = {
    "default": {},
    "bare": {"database": "none", "ci": "none"},
    "mongodb": {"database": "mongodb", "ci": "gitlab"},
    "full": {"worker": True, "redis": True, "ci": "circleci"},
    "hardest": {"project_slug": "w" * 30, "package_name": "z" * 30, "ci": "azure"},
}
NESTED = {"create", "rollout", "secret"}
"""Commands of `kubectl` whose next word belongs to the command."""
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


def lines(service: Path) -> list[list[str]]:
    return [shlex.split(line) for text in scripts(service) for line in text.splitlines()]


@cache
def known_options(command: str) -> frozenset[str]:
    """Return the options that a command of `kubectl` has, by its own word."""
    said = [
        subprocess.run(["kubectl", *words], capture_output=True, text=True, check=True).stdout
        for words in ([*command.split(), "--help"], ["options"])
    ]
    assert "Usage:" in said[0]
    return frozenset(re.findall(r"(--[a-z][a-z0-9-]*)[=\[,:']", "".join(said)))


def wrong(service: Path, words: list[str]) -> Iterator[str]:
    """Tell what of a command line is not there."""
    if words[0] == "make":
        makefiles = [service / "Makefile", *(service / "deploy").glob("*.mk")]
        targets = re.findall(r"^([a-z]+):", "".join(f.read_text() for f in makefiles), re.MULTILINE)
        given = dict(word.split("=", 1) for word in words[1:] if "=" in word)
        yield from (word for word in words[1:] if "=" not in word and word not in targets)
        if not (service / "deploy/overlays" / given.get("OVERLAY", "local")).is_dir():
            yield given["OVERLAY"]
    elif words[0] == "kubectl":
        options = words[: words.index("--")] if "--" in words else words
        command = words[3] if words[1] == "--namespace" else words[1]
        while command.split()[-1] in NESTED:
            command += f" {words[words.index(command.split()[-1]) + 1]}"
        given_options = {word.partition("=")[0] for word in options if re.match("--[a-z]", word)}
        yield from sorted(given_options - known_options(command))
        if "--filename" in words and not (service / words[words.index("--filename") + 1]).exists():
            yield words[words.index("--filename") + 1]
        if words[1] == "--namespace":
            there = objects(service, words[2])
            for kind, name in OBJECT.findall(" ".join(options)):
                if (kind, name) not in there:
                    yield f"{kind}/{name} in {words[2]}"
    elif words[0] != "kind":
        yield words[0]


@cache
def objects(service: Path, namespace: str) -> set[tuple[str, str]]:
    """Return the objects of the overlay of a namespace, by kind and name."""
    for overlay in (service / "deploy" / "overlays").iterdir():
        command = ["kubectl", "kustomize", str(overlay)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = [one for one in yaml.safe_load_all(text) if one]
        if {one["metadata"].get("namespace", namespace) for one in found} == {namespace}:
            return {(one["kind"].lower(), one["metadata"]["name"]) for one in found}
    return set()


def test_what_it_says_can_be_typed(service: Path) -> None:
    for text in scripts(service):
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
        check = ["shellcheck", "--shell=bash", "-"]
        subprocess.run(check, input=text, text=True, check=True)
    assert [(words, found) for words in lines(service) for found in wrong(service, words)] == []


@pytest.mark.parametrize(
    ("line", "fault"),
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
def test_what_is_not_there_is_found(cookies: Cookies, line: str, fault: str) -> None:
    folder = Baker(cookies).bake(kubernetes=True)
    assert list(wrong(folder, shlex.split(line))) == [fault]


def test_files_that_it_names_are_there(service: Path) -> None:
    text = (service / "deploy" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:deploy|access|base|overlays|components)/[\w./-]*)`", text))
    assert len(named) >= 6
    for name in named:
        assert (service / "deploy" / name.removeprefix("deploy/")).exists(), name


def test_who_deploys_may_do_what_a_deployment_does_and_no_more(service: Path) -> None:
    role, binding = yaml.safe_load_all((service / "deploy" / "access.yaml").read_text())
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    rights = {
        resource: set(rule["verbs"]) for rule in role["rules"] for resource in rule["resources"]
    }
    assert not {verb for verbs in rights.values() for verb in verbs} & {"*", "escalate", "bind"}
    assert rights["secrets"] == rights["namespaces"] == {"get"}
    for overlay in ("staging", "production"):
        command = ["kubectl", "kustomize", str(service / "deploy" / "overlays" / overlay)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for kind in {one["kind"] for one in yaml.safe_load_all(text) if one} - {"Namespace"}:
            plural = re.sub("ys$", "ies", f"{kind.lower()}s").replace("sss", "sses")
            assert rights[plural] >= {"get", "create", "patch"}, kind
