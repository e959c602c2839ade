"""V. Build, release, run: the pipeline builds one image after the checks, and releases that one."""

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


def artifacts(job: dict[str, Any], action: str) -> set[str]:
    """Return the names of the artifacts that a job uploads or downloads."""
    steps = [step for step in job["steps"] if f"/{action}-artifact@" in step.get("uses", "")]
    return {step["with"]["name"] for step in steps}


def test_one_job_builds_the_image_after_all_checks() -> None:
    (builder,) = jobs_that_run(r"\bimage\b").values()
    checks = jobs_that_run("make (check|test|conformance)").keys()
    assert checks
    assert checks <= set(builder["needs"])


def test_the_released_image_is_the_one_that_was_built(measure: Measure) -> None:
    (builder,) = jobs_that_run(r"\bimage\b").values()
    release_jobs = jobs_that_run(r"\b(scan|publish|sign)\b")
    for job in release_jobs.values():
        assert artifacts(job, "download") >= artifacts(builder, "upload") >= {"image"}
        commands = [step["run"] for step in job["steps"] if "run" in step]
        assert [command.split()[:2] for command in commands] == [["make", "load"]]
    for job in jobs_that_run(r"\bdeploy\b").values():
        commands = [step["run"] for step in job["steps"] if "run" in step]
        assert commands == ["make verify deploy probe"]
    measure("release of the image that was built", len(release_jobs), "jobs", at_least=3)


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
