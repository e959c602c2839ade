"""A service's own checks of what it deploys: each finds its fault, and says where, in one line."""

import copy
import json
import subprocess
import tomllib
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.kubernetes_manifests import FULL, VARIANTS, Object, kustomize, parse, released
from tests.support.needs import need_kubectl
from tests.support.running import Installed, install
from tests.support.template import ROOT
from tools.pythons import outside

BROKEN: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (ROOT / "tests" / "ship" / "broken_manifests.toml").read_text(encoding="utf-8")
)
FAULTS = [(check, fault) for check, faults in BROKEN.items() for fault in faults]

RUN = """\
import json, sys
from tests.deploy.checks import CHECKS
from tests.deploy.parity import digests
checks = CHECKS | {"digests": digests}
overlays = json.load(sys.stdin)
found = [{name: [*check(objects)] for name, check in checks.items()} for objects in overlays]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    """Return a service with all that can be deployed."""
    need_kubectl()
    return install(Baker(cookies_session).bake(**VARIANTS[FULL]))


def findings(service: Installed, *overlays: list[Object]) -> list[dict[str, list[str]]]:
    """Return what each check of the service finds in each of these."""
    done = subprocess.run(
        [service.python, "-c", RUN],
        cwd=service.folder,
        env=outside(),
        input=json.dumps(overlays),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, list[str]]] = json.loads(done.stdout)
    return found


def broken(objects: list[Object], fault: dict[str, Any]) -> list[Object]:
    """Return the objects with one fault."""
    name, *path = fault["at"].split()
    kind, _, short = name.partition("/")
    copied = copy.deepcopy(objects)
    found = [
        each
        for each in copied
        if each["kind"] == kind
        and (not short or each["metadata"]["name"].startswith(f"order-service-{short}"))
    ]
    # A name may be the beginning of another; the shortest is meant.
    meant = min(found, key=lambda each: len(each["metadata"]["name"]))
    if not path:
        return [each for each in copied if each is not meant]
    part: Any = meant
    keys = [int(key) if key.isdigit() else key for key in path]
    for key in keys[:-1]:
        part = part[key]
    if "value" in fault:
        part[keys[-1]] = fault["value"]
    else:
        del part[keys[-1]]
    return copied


@pytest.fixture(scope="module")
def overlay(service: Installed) -> list[Object]:
    return parse(released(service.folder, "production", "order-service"))


@pytest.fixture(scope="module")
def found(service: Installed, overlay: list[Object]) -> list[dict[str, list[str]]]:
    """Return what is found in the overlay as it is, and then with each fault."""
    return findings(service, overlay, *(broken(overlay, fault) for _, fault in FAULTS))


def test_nothing_is_found_where_nothing_is_wrong(found: list[dict[str, list[str]]]) -> None:
    assert {check: said for check, said in found[0].items() if said} == {}


def test_there_are_two_faults_for_each_check(found: list[dict[str, list[str]]]) -> None:
    assert found[0].keys() == BROKEN.keys()
    assert {check for check, faults in BROKEN.items() if len(faults) < 2} == set()


@pytest.mark.parametrize(
    ("number", "check", "fault"),
    [(number, *each) for number, each in enumerate(FAULTS, 1)],
    ids=[f"{check}: {fault['at']}" for check, fault in FAULTS],
)
def test_a_fault_is_found(
    found: list[dict[str, list[str]]], number: int, check: str, fault: dict[str, Any]
) -> None:
    said = found[number][check]
    assert any(fault["says"] in line for line in said), said
    assert not any("\n" in line for line in said)


def test_an_empty_render_is_no_success(service: Installed) -> None:
    assert len(findings(service, [])[0]["complete"]) > 5


def test_what_is_wrong_in_a_file_is_said_with_its_name(service: Installed) -> None:
    path = service.folder / "deploy" / "overlays" / "staging" / "kustomization.yaml"
    kept = path.read_text(encoding="utf-8")
    try:
        path.write_text(
            kept.replace("HSTS_SECONDS=300", "HSTS_SECONDS=300, LOG_LEVLE=debug"), encoding="utf-8"
        )
        text = kustomize(path.parent)
        done = subprocess.run(
            [service.python, "-m", "tests.deploy"],
            cwd=service.folder,
            env=outside(),
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(kept, encoding="utf-8")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith(
        "env: LOG_LEVLE is read by nothing (deploy/overlays/staging/kustomization.yaml)"
    ), line
