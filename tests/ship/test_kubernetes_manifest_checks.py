"""The manifest checks of a service find mutants of its manifests, each in one line."""

import copy
import json
import subprocess
import tomllib
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.kubernetes_manifests import FULL, VARIANTS, Object, parse, released
from tests.support.needs import need_kubectl
from tests.support.running import install
from tests.support.template import ROOT
from tools.pythons import outside

Mutant = dict[str, Any]

MUTANTS: dict[str, list[Mutant]] = tomllib.loads(
    (ROOT / "tests" / "ship" / "broken_manifests.toml").read_text(encoding="utf-8")
)
NUMBERED = list(
    enumerate(((check, mutant) for check, mutants in MUTANTS.items() for mutant in mutants), 1)
)
RUN = """\
import json, sys
from tests.deploy.test_manifests import CHECKS
original, *mutants = json.load(sys.stdin)
findings = [{name: list(check(original)) for name, check in CHECKS.items()}]
findings += [{name: list(CHECKS[name](objects))} for name, objects in mutants]
print(json.dumps(findings))
"""


@pytest.fixture(scope="module")
def findings(cookies_session: Cookies) -> list[dict[str, list[str]]]:
    """Return the findings by check, first in the original manifests, then in each mutant."""
    need_kubectl()
    service = install(Baker(cookies_session).bake(**VARIANTS[FULL]))
    original = parse(released(service.folder, "production", "order-service"))
    mutants = [(check, mutated(original, mutant)) for _, (check, mutant) in NUMBERED]
    done = subprocess.run(
        [service.python, "-c", RUN],
        cwd=service.folder,
        env=outside(),
        input=json.dumps([original, *mutants]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, list[str]]] = json.loads(done.stdout)
    return found


def mutated(original: list[Object], mutant: Mutant) -> list[Object]:
    """Return a copy of the objects in which one part is replaced or deleted."""
    objects = copy.deepcopy(original)
    name, *path = [int(key) if key.isdigit() else key for key in mutant["at"].split()]
    kind, _, short = str(name).partition("/")
    # Name prefixes are ambiguous, and that of the ConfigMap has a hash at its end.
    target = min(
        (each for each in objects if each["kind"] == kind and short in each["metadata"]["name"]),
        key=lambda each: len(each["metadata"]["name"]),
    )
    if not path:
        objects.remove(target)
        return objects
    part: Any = target
    for key in path[:-1]:
        part = part[key]
    if "value" in mutant:
        part[path[-1]] = mutant["value"]
    else:
        del part[path[-1]]
    return objects


def test_original_manifests_pass(findings: list[dict[str, list[str]]]) -> None:
    assert {check: found for check, found in findings[0].items() if found} == {}


def test_each_check_has_two_mutants(findings: list[dict[str, list[str]]]) -> None:
    assert findings[0].keys() == MUTANTS.keys()
    assert {check for check, mutants in MUTANTS.items() if len(mutants) < 2} == set()


@pytest.mark.parametrize(
    ("number", "check", "mutant"),
    [(number, check, mutant) for number, (check, mutant) in NUMBERED],
    ids=[f"{check}: {mutant['at']}" for _, (check, mutant) in NUMBERED],
)
def test_mutant_is_found(
    findings: list[dict[str, list[str]]], number: int, check: str, mutant: Mutant
) -> None:
    found = findings[number][check]
    assert any(mutant["finding"] in line for line in found), found
    assert not any("\n" in line for line in found)
