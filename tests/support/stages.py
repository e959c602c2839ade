"""The stages of a CI pipeline, independent of the provider."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

ARTIFACTS = ("image.tar", "release")
"""Files in `.reports/` that stages pass on to later stages."""


@dataclass(frozen=True)
class Stage:
    """One job of a pipeline."""

    runs: tuple[str, ...] = ()
    after: frozenset[str] = frozenset()
    on_pull_requests: bool = False
    downloads: frozenset[str] = frozenset()
    uploads: frozenset[str] = frozenset()
    environment: str = ""
    approved: bool = False
    """Whether a person has to approve it, by a rule of the environment where providers do so."""


@dataclass(frozen=True)
class Pipeline:
    """The stages of a commit on main, of the weekly run, and of manual runs."""

    delivery: dict[str, Stage] = field(default_factory=dict)
    weekly: dict[str, Stage] = field(default_factory=dict)
    manual: dict[str, Stage] = field(default_factory=dict)
    delivered_weekly: bool = False


def direct(stages: dict[str, Stage]) -> dict[str, Stage]:
    """Reduce `after` to direct predecessors: leave out those implied by another one."""

    def before(name: str) -> set[str]:
        return {each for one in stages[name].after for each in {one, *before(one)}}

    return {
        name: replace(stage, after=stage.after.difference(*map(before, stage.after)))
        for name, stage in stages.items()
    }


def without_pull_requests(stages: dict[str, Stage]) -> dict[str, Stage]:
    """Return the stages as they are in a pipeline that never runs for a pull request."""
    return {name: replace(stage, on_pull_requests=False) for name, stage in stages.items()}


def only_commands(stages: dict[str, Stage]) -> dict[str, Stage]:
    """Return the stages of a manual run, of which only the commands are compared."""
    return {name: Stage(runs=stage.runs) for name, stage in stages.items()}


def make_commands(
    scripts: Iterable[str], variables: dict[str, str] | None = None
) -> tuple[str, ...]:
    """Return the calls of `make` in a normal form.

    Of a deployment, the overlay is kept, as `…` if it is only known at run time.
    """
    found = []
    for line in "\n".join(scripts).splitlines():
        words = shlex.split(line) or [""]
        if words[0] == "make":
            values = (variables or {}) | dict(word.split("=", 1) for word in words if "=" in word)
            command = [word for word in words if "=" not in word]
            if "deploy" in command:
                overlay = values.get("OVERLAY", "")
                command.append(f"OVERLAY={overlay if re.fullmatch('[a-z]+', overlay) else '…'}")
                if values.get("RELEASE"):
                    command.append("RELEASE=…")
            found.append(" ".join(command))
    return tuple(found)


def artifacts(*paths: str) -> frozenset[str]:
    """Return the names of the artifacts among these paths."""
    return frozenset(ARTIFACTS).intersection(Path(path).name for path in paths)
