"""A step of the tour, read from one Markdown file in `tour/steps`."""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.support.mutants import MUTANTS, Mutant
from tools.pythons import ROOT

STEPS = ROOT / "tour" / "steps"
CHECKS = "tests/twelve_factor"
SECTIONS = ("Factor", "Story", "Failure", "Hints", "Solution", "Here", "Remember")
"""Headings, in this order; `Failure` explains the output, `Here` how the template does it."""


class InvalidStepError(ValueError):
    """A step file that lacks a part, named in the message."""


@dataclass(frozen=True)
class Step:
    """A bug, the check that finds it, and the texts around them."""

    number: int
    slug: str
    title: str
    factor: str
    bug: str
    docker: str
    """A command that shows the same in containers, or nothing."""
    sections: dict[str, str]

    @property
    def id(self) -> str:
        """The number and the slug, such as `06-no-sticky-sessions`."""
        return f"{self.number:02}-{self.slug}"

    @cached_property
    def mutant(self) -> Mutant:
        """The bug, as it is put into a service."""
        return next(mutant for mutant in MUTANTS if mutant.bug == self.bug)

    @property
    def check(self) -> str:
        """The id of the test that finds the bug."""
        return f"{CHECKS}/test_{self.mutant.factor}.py::{self.mutant.check}"

    @property
    def hints(self) -> list[str]:
        """The hints, from vague to precise."""
        return re.findall(r"(?m)^\d+\. (.+(?:\n {3}.+)*)", self.sections["Hints"])


def read(path: Path) -> Step:
    """Read a step; raise `InvalidStepError` if something is missing or unknown."""
    named = re.fullmatch(r"(\d\d)-([a-z-]+)", path.stem)
    text = path.read_text(encoding="utf-8")
    parts = re.fullmatch(r"\+\+\+\n(.*?)\n\+\+\+\n\n# ([^\n]+)\n(.*)", text, re.DOTALL)
    if not named or not parts:
        raise InvalidStepError(f"{path.name}: is not NN-slug.md with +++ TOML +++ and a title")
    (number, slug), (header, title, body) = named.groups(), parts.groups()
    try:
        facts = tomllib.loads(header)
    except tomllib.TOMLDecodeError as error:
        raise InvalidStepError(f"{path.name}: is not TOML: {error}") from None
    found = re.split(r"(?m)^## (.+)\n", body)
    sections = {
        name: content.strip() for name, content in zip(found[1::2], found[2::2], strict=True)
    }
    if tuple(sections) != SECTIONS:
        raise InvalidStepError(f"{path.name}: its sections are not {', '.join(SECTIONS)}")
    if not {"factor", "bug"} <= facts.keys() <= {"factor", "bug", "docker"}:
        raise InvalidStepError(f"{path.name}: needs factor and bug, and may have docker")
    step = Step(
        int(number), slug, title, facts["factor"], facts["bug"], facts.get("docker", ""), sections
    )
    if step.bug not in [mutant.bug for mutant in MUTANTS]:
        raise InvalidStepError(f"{path.name}: {step.bug!r} is not the bug of a mutant")
    if not step.hints:
        raise InvalidStepError(f"{path.name}: has no numbered hints")
    return step


def read_all(folder: Path = STEPS) -> list[Step]:
    """Read all steps, in their order."""
    return [read(path) for path in sorted(folder.glob("*.md"))]
