"""The commands of a service's GitHub pipeline."""

from dataclasses import dataclass
from pathlib import Path

from tools.ci_dialects import documents

from .template import SERVICE

NEED_DOCKER = {"make image smoke save"}
NOT_RUN = {
    "make update",  # Needs a repository of the template: tests/runs/test_updates.py.
    *("make login load publish", "make login sign"),  # Run in tests/ship/test_signed_releases.py.
    *("make audit", "make scan"),  # Need a database of vulnerabilities from the internet.
    "make login verify deploy probe",  # Needs a cluster.
}


@dataclass(frozen=True)
class Step:
    """A `run:` of a job with its environment variables."""

    job: str
    run: str
    variables: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.job}: {self.run}".replace(" ", "-")


def steps() -> list[Step]:
    """Return the steps with a command, in the order of the workflow files."""
    return [
        Step(
            f"{Path(path).stem}-{name}",
            step["run"],
            tuple({**workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}.items()),
        )
        for path, (provider, workflow) in documents(SERVICE).items()
        if provider == "github"
        for name, job in workflow["jobs"].items()
        for step in job.get("steps", [])
        if "run" in step
    ]


STEPS = [step for step in steps() if step.run not in NOT_RUN and "gh pr" not in step.run]
"""The steps that tests can run."""
