"""V. Build, release, run: the pipeline builds one image, after all checks."""

import re
from typing import Any

import yaml

from .project import ROOT
from .report import Measure

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


def jobs_that_run(pattern: str) -> dict[str, dict[str, Any]]:
    """Return the jobs with a command that matches a pattern, by name."""
    return {
        name: job
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()
        if any(re.search(pattern, step.get("run", "")) for step in job.get("steps", []))
    }


def test_one_job_builds_the_image_after_all_checks() -> None:
    (builder,) = jobs_that_run(r"\bimage\b").values()
    ((name, checks),) = jobs_that_run(r'make "\$TARGET"').items()
    assert set(checks["strategy"]["matrix"]["target"]) == {"check", "test", "conformance"}
    assert builder["needs"] == name


def test_actions_are_pinned_and_workflows_have_no_default_permissions(measure: Measure) -> None:
    count = 0
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {}
    for path in [*WORKFLOWS, *ROOT.glob(".github/actions/*/action.yml")]:
        text = path.read_text(encoding="utf-8")
        # A path that begins with a dot is in this repository.
        actions = re.findall(r"uses: *([^.\s]\S+)", text)
        count += len(actions)
        assert [action for action in actions if not re.search(r"@[0-9a-f]{40}$", action)] == []
        assert not re.search(r"run:.*github\.event", text)
    measure("pinned by commit", count, "actions", at_least=1)
