"""Every variant: exact files, no residue, valid formats, clean code, and its own tests pass."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import Environments
from tests.support.findings import findings_in, verdict
from tests.support.inspection import INSPECTIONS
from tests.support.needs import need_redis
from tests.support.template import FIRST
from tests.support.variants import CI_RUNS, FIRST_OF_ITS_KIND, ROWS, SEEN, VARIANTS, behaviour
from tools.pythons import UV, newest_python, outside

Rendered = Callable[[str], Path]
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=list(VARIANTS))


def answers_of(variant: str) -> dict[str, Any]:
    """Return the answers that decide on files, defaults included."""
    answers = FIRST | VARIANTS[variant]
    if "package_name" not in VARIANTS[variant]:
        slug = VARIANTS[variant].get("project_slug", "order-service")
        answers["package_name"] = slug.replace("-", "_")
    return answers


def run(service: Path, *command: str, **variables: str) -> str | None:
    """Run a command in a service; return what it said if it failed."""
    done = subprocess.run(
        command,
        cwd=service,
        env=outside() | {"NO_COLOR": "1", "RUFF_OUTPUT_FORMAT": "concise"} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode else None


@pytest.mark.parametrize("inspection", INSPECTIONS)
@every_variant
def test_to_the_eye(rendered: Rendered, variant: str, inspection: str) -> None:
    found = INSPECTIONS[inspection](rendered(variant), answers_of(variant))
    verdict(variant, inspection, found)


@every_variant
def test_its_own_checks(rendered: Rendered, environments: Environments, variant: str) -> None:
    service = rendered(variant)
    said = run(service, "make", f"UV={UV}", "check", **environments.of(service))
    verdict(variant, "make check", [] if said is None else findings_in(said), said or "")


@every_variant
def test_its_dependencies(rendered: Rendered, environments: Environments, variant: str) -> None:
    service = rendered(variant)
    folders = [folder for folder in ("src", "migrations") if (service / folder).exists()]
    said = run(
        service,
        *(str(Path(sys.executable).with_name("deptry")), "--no-ansi"),
        # pydantic requires an exact release of its core, so that ours cannot differ.
        *("--per-rule-ignores", "DEP003=pydantic_core"),
        *folders,
        PYTHONPATH=environments.packages(service),
    )
    verdict(variant, "deptry", [] if said is None else findings_in(said), said or "")


ALONE = {kind: variant for kind, variant in FIRST_OF_ITS_KIND.items() if kind not in CI_RUNS}
IN_PIPELINES = {value for kind in CI_RUNS for value in zip(SEEN, kind, strict=True)}


def is_new(kind: tuple[Any, ...]) -> bool:
    """Tell whether a kind of the newest Python has an answer that no pipeline has been run with."""
    answers = set(zip(SEEN, kind, strict=True))
    return ("python_version", newest_python()) in answers and not answers <= IN_PIPELINES


@pytest.mark.minutes
@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(variant, id=variant, marks=[] if is_new(kind) else [pytest.mark.slow])
        for kind, variant in ALONE.items()
    ],
)
def test_its_own_tests(
    rendered: Rendered, environments: Environments, variant: str, request: pytest.FixtureRequest
) -> None:
    service = rendered(variant)
    need_redis(service)
    variables = environments.of(service)
    if (service / "tests/support/mongodb_server.py").exists():
        variables["MONGODB_URL"] = request.getfixturevalue("mongodb_url")
    said = run(service, "make", f"UV={UV}", "test", **variables)
    verdict(variant, "make test", [] if said is None else findings_in(said), said or "")


def test_those_that_run_their_own_tests_stand_for_all() -> None:
    assert {behaviour(row) for row in ROWS.values()} == ALONE.keys() | CI_RUNS
