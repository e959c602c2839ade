"""V. Build, release, run: the pipeline releases the image that it built, and deploys that."""

from typing import Any

from .report import Measure
from .test_v_github import jobs_that_run


def artifacts(job: dict[str, Any], action: str) -> set[str]:
    """Return the names of the artifacts that a job uploads or downloads."""
    steps = [step for step in job["steps"] if f"/{action}-artifact@" in step.get("uses", "")]
    return {step["with"]["name"] for step in steps}


def commands(job: dict[str, Any]) -> list[str]:
    """Return the commands that a job runs."""
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_released_image_is_the_one_that_was_built(measure: Measure) -> None:
    (builder,) = jobs_that_run(r"\bimage\b").values()
    release_jobs = jobs_that_run(r"\b(scan|publish)\b")
    for job in release_jobs.values():
        assert artifacts(job, "download") >= artifacts(builder, "upload") >= {"image"}
        assert commands(job) in (["make scan"], ["make login load publish"])
    for job in jobs_that_run(r"\bdeploy\b").values():
        assert commands(job) == ["make login verify deploy probe"]
    measure("release of the image that was built", len(release_jobs), "jobs", at_least=2)
