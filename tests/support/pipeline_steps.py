"""The steps of a service's pipeline, as its files spell them."""

from dataclasses import dataclass
from pathlib import Path

from tools.ci_dialects import documents

from .template import SERVICE

NEED_DOCKER = {"make image smoke save"}
NEED_A_REGISTRY = {"make login load publish", "make login sign"}
"""What needs Docker, a registry and a signer: tests/ship/test_signed_releases.py runs it."""
NEED_THE_INTERNET = {"make audit", "make scan"}
"""What asks for known faults, of which there is no copy here."""
NEED_A_CLUSTER = {"make login verify deploy probe"}
PROVE = {"make conformance"}
"""What proves the promises of a service."""
NEED_AN_ACCOUNT = {"python3 -m dev.pull_request"}
"""What talks to the provider in the name of somebody."""


@dataclass(frozen=True)
class Step:
    """A `run:` of a job, with the variables that the file gives it."""

    job: str
    run: str
    variables: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.job}: {self.run}".replace(" ", "-")


def steps() -> list[Step]:
    """Return each step that runs something, in the order of the files; they are not rendered."""
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


ELSEWHERE = NEED_A_REGISTRY | NEED_THE_INTERNET | NEED_A_CLUSTER | NEED_AN_ACCOUNT
STEPS = [step for step in steps() if step.run not in ELSEWHERE]
"""All that can be run here; the others are tested to be the only ones that cannot."""
