"""Every variant passes the inspections and its `make check` and `make test`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.baking import Baker
from tests.support.commands import run
from tests.support.environments import Environments
from tests.support.findings import findings_in, verdict
from tests.support.inspection import INSPECTIONS
from tests.support.needs import need_redis
from tests.support.template import FIRST
from tests.support.variants import CI_RUNS, OUTSIDE_CI, ROWS, VARIANTS, as_answers, behaviour
from tools.pythons import UV, newest_python

Rendered = Callable[[str], Path]
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=list(VARIANTS))


def answers_of(variant: str) -> dict[str, Any]:
    """Return all answers that decide on files."""
    answers = FIRST | VARIANTS[variant]
    if "package_name" not in VARIANTS[variant]:
        slug = VARIANTS[variant].get("project_slug", "order-service")
        answers["package_name"] = slug.replace("-", "_")
    return answers


def failure(service: Path, *command: str, **variables: str) -> str | None:
    """Run a command in a service; return its output if it failed."""
    variables |= {"NO_COLOR": "1", "RUFF_OUTPUT_FORMAT": "concise"}
    done = run(*command, cwd=service, **variables)
    return done.stdout + done.stderr if done.returncode else None


@pytest.mark.parametrize("inspection", INSPECTIONS)
@every_variant
def test_inspection(rendered: Rendered, variant: str, inspection: str) -> None:
    found = INSPECTIONS[inspection](rendered(variant), answers_of(variant))
    verdict(variant, inspection, found)


@every_variant
def test_make_check(rendered: Rendered, environments: Environments, variant: str) -> None:
    service = rendered(variant)
    output = failure(service, "make", f"UV={UV}", "check", **environments.of(service))
    verdict(variant, "make check", [] if output is None else findings_in(output), output or "")


@every_variant
def test_dependencies(rendered: Rendered, environments: Environments, variant: str) -> None:
    service = rendered(variant)
    folders = [folder for folder in ("src", "migrations") if (service / folder).exists()]
    output = failure(
        service,
        *(str(Path(sys.executable).with_name("deptry")), "--no-ansi"),
        # pydantic requires an exact version of its core, so a service need not declare it.
        *("--per-rule-ignores", "DEP003=pydantic_core"),
        *folders,
        PYTHONPATH=environments.packages(service),
    )
    verdict(variant, "deptry", [] if output is None else findings_in(output), output or "")


IN_CI = {answer for values in CI_RUNS for answer in as_answers(values).items()}


def is_new(variant: str) -> bool:
    """Return whether a variant has, with the newest Python, an answer not covered in CI."""
    answers = set(as_answers(behaviour(ROWS[variant])).items())
    return ("python_version", newest_python()) in answers and not answers <= IN_CI


@pytest.mark.minutes
@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(variant, id=variant, marks=[] if is_new(variant) else [pytest.mark.slow])
        for variant in OUTSIDE_CI
    ],
)
def test_make_test(
    baker: Baker, environments: Environments, variant: str, request: pytest.FixtureRequest
) -> None:
    service = baker.bake(**VARIANTS[variant] | {"chassis_tests": True})
    need_redis(service)
    variables = environments.of(service)
    if (service / "tests/support/mongodb_server.py").exists():
        variables["MONGODB_URL"] = request.getfixturevalue("mongodb_url")
    output = failure(service, "make", f"UV={UV}", "test", **variables)
    verdict(variant, "make test", [] if output is None else findings_in(output), output or "")
