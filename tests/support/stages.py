"""The stages of a CI pipeline, whichever provider runs it."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

CARRIED = ("image.tar", "release")
"""What stages hand to later ones, all of it in .reports/."""


@dataclass(frozen=True)
class Stage:
    """What a provider does at one of its jobs."""

    runs: tuple[str, ...] = ()
    after: frozenset[str] = frozenset()
    on_proposals: bool = False
    takes: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()
    environment: str = ""
    approved: bool = False
    """Whether a person has to say yes first; by the environment, if that is the provider's way."""


@dataclass(frozen=True)
class Pipeline:
    """What a commit on main passes through, what a week brings, what is done by hand."""

    delivery: dict[str, Stage] = field(default_factory=dict)
    weekly: dict[str, Stage] = field(default_factory=dict)
    by_hand: dict[str, Stage] = field(default_factory=dict)
    delivered_weekly: bool = False


def nearest(stages: dict[str, Stage]) -> dict[str, Stage]:
    """Leave out what comes before by way of others anyhow."""

    def before(name: str) -> set[str]:
        return {each for one in stages[name].after for each in {one, *before(one)}}

    return {
        name: Stage(
            **vars(stage)
            | {
                "after": frozenset(
                    one
                    for one in stage.after
                    if not any(one in before(other) for other in stage.after)
                )
            }
        )
        for name, stage in stages.items()
    }


def spoken(commands: Iterable[str], variables: dict[str, str] | None = None) -> tuple[str, ...]:
    """Return what of these commands is `make` or a module, with the overlay it is told of."""
    found = []
    for command in "\n".join(commands).splitlines():
        words = shlex.split(command) or [""]
        if words[0] == "make":
            named = dict(word.split("=", 1) for word in words if "=" in word)
            told = {**(variables or {}), **named}
            release = "RELEASE" in told and told["RELEASE"] != ""
            targets = [word for word in words if "=" not in word]
            overlay = told.get("OVERLAY", "")
            if "deploy" in targets:
                targets += [f"OVERLAY={overlay if re.fullmatch('[a-z]+', overlay) else '…'}"]
                targets += ["RELEASE=…"] if release else []
            found.append(" ".join(targets))
        elif words[:2] == ["python3", "-m"]:
            found.append("propose")
    return tuple(found)


def files(*names: str) -> frozenset[str]:
    """Return which of the files that are carried these paths are."""
    return frozenset(name for name in (Path(n).name for n in names) if name in CARRIED)
