"""The manifests of all variants pass the checks, which find mutants, each in one line."""

import copy
import tomllib
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import must_run, run
from tests.support.environments import Environments
from tests.support.kubernetes_manifests import (
    FULL,
    OVERLAYS,
    VARIANTS,
    Object,
    components,
    findings,
    parse,
    released,
    slug,
)
from tests.support.needs import need_kubectl
from tests.support.template import ROOT
from tools.pythons import UV

Mutant = dict[str, Any]

MUTANTS: dict[str, list[Mutant]] = tomllib.loads(
    (ROOT / "tests" / "ship" / "broken_manifests.toml").read_text(encoding="utf-8")
)
NUMBERED = list(
    enumerate(((check, mutant) for check, mutants in MUTANTS.items() for mutant in mutants), 1)
)


@pytest.fixture(scope="module")
def mutant_findings(
    cookies_session: Cookies, environments: Environments
) -> list[dict[str, list[str]]]:
    """Return the findings by check, first in the original manifests, then in each mutant."""
    need_kubectl()
    service = Baker(cookies_session).bake(**VARIANTS[FULL])
    original = parse(released(service, "production", "order-service"))
    mutants = [([check], mutated(original, mutant)) for _, (check, mutant) in NUMBERED]
    return findings(environments.python(service), service, [([], original), *mutants])


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


@pytest.mark.parametrize("variant", VARIANTS)
def test_overlays_and_components_pass(
    baker: Baker, environments: Environments, variant: str
) -> None:
    need_kubectl()
    service = baker.bake(**VARIANTS[variant])
    manifests = {name: released(service, name, slug(variant)) for name in OVERLAYS}
    manifests |= components(service, manifests)
    assert len(set(manifests.values())) == len(manifests) > len(OVERLAYS) + 2
    asked: list[Any] = [([], parse(text)) for text in manifests.values()]
    found = findings(environments.python(service), service, asked)
    for name, checks in zip(manifests, found, strict=True):
        assert {check: lines for check, lines in checks.items() if lines} == {}, name


def test_each_check_has_two_mutants(mutant_findings: list[dict[str, list[str]]]) -> None:
    assert mutant_findings[0].keys() == MUTANTS.keys()
    assert {check for check, mutants in MUTANTS.items() if len(mutants) < 2} == set()


@pytest.mark.parametrize(
    ("number", "check", "mutant"),
    [(number, check, mutant) for number, (check, mutant) in NUMBERED],
    ids=[f"{check}: {mutant['at']}" for _, (check, mutant) in NUMBERED],
)
def test_mutant_is_found(
    mutant_findings: list[dict[str, list[str]]], number: int, check: str, mutant: Mutant
) -> None:
    found = mutant_findings[number][check]
    assert any(mutant["finding"] in line for line in found), found
    assert not any("\n" in line for line in found)


def test_make_manifests_finds_an_unknown_field(baker: Baker) -> None:
    need_kubectl()
    service = baker.bake(kubernetes=True)
    command = ["make", f"UV={UV}", "manifests"]
    must_run(*command, cwd=service)
    manifest = service / "deploy" / "base" / "web.yaml"
    manifest.write_text(manifest.read_text().replace("minReplicas:", "fewestReplicas:"))
    done = run(*command, cwd=service)
    assert done.returncode
    assert "'fewestReplicas' was unexpected" in done.stdout + done.stderr
