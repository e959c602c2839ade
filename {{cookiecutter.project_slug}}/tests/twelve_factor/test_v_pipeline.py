"""V. Build, release, run, by the pipeline: what has passed is built, once, and by pinned tools."""

import re
from typing import Any

import yaml

from .project import ROOT
from .report import Measure

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


def jobs_that_run(what: str) -> dict[str, dict[str, Any]]:
    """Return the jobs with a step whose command has this in it, by name."""
    return {
        name: job
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()
        if any(re.search(what, step.get("run", "")) for step in job.get("steps", []))
    }


def artifacts(job: dict[str, Any], action: str) -> set[str]:
    """Return the names of what a job keeps for others, or fetches."""
    steps = [step for step in job["steps"] if f"/{action}-artifact@" in step.get("uses", "")]
    return {step["with"]["name"] for step in steps}


def test_the_image_is_built_after_the_checks_and_once() -> None:
    (builder,) = jobs_that_run(r"\bimage\b").values()
    tests = jobs_that_run("make (check|test|conformance)").keys()
    assert tests
    assert tests <= set(builder["needs"])


def test_what_is_released_is_what_was_built(measure: Measure) -> None:
    (builder,) = jobs_that_run(r"\bimage\b").values()
    released = jobs_that_run(r"\b(scan|publish|sign)\b")
    for job in released.values():
        assert artifacts(job, "download") >= artifacts(builder, "upload") >= {"image"}
        assert [step["run"].split()[:2] for step in job["steps"] if "run" in step] == [
            ["make", "load"]
        ]
    for job in jobs_that_run(r"\bdeploy\b").values():
        assert [step["run"] for step in job["steps"] if "run" in step] == [
            "make verify deploy probe"
        ]
    measure("released", len(released), "stages", at_least=3)


def test_the_pipeline_runs_only_what_is_pinned_and_may_do_next_to_nothing(
    measure: Measure,
) -> None:
    used = 0
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {}
    for path in [*WORKFLOWS, *ROOT.glob(".github/actions/*/action.yml")]:
        text = path.read_text(encoding="utf-8")
        # What begins with a dot is of this same commit.
        actions = re.findall(r"uses: *([^.\s]\S+)", text)
        used += len(actions)
        assert [each for each in actions if not re.search(r"@[0-9a-f]{40}$", each)] == []
        assert not re.search(r"run:.*github\.event", text)
    measure("pinned", used, "actions", at_least=1)
