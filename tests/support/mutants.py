"""Faults that a service may come to have, in `mutants/`: each with the check that must find it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .template import ROOT

SUBJECT: dict[str, Any] = {"kubernetes": True}
"""Answers of the service that mutants are made from."""


@dataclass(frozen=True)
class Mutant:
    """A fault of a factor, at which one check aims; `also` are checks that cannot pass either.

    An edit is a path that may hold `*`, the text to replace and the new one; where there is none
    to replace, the file is new.
    """

    fault: str
    factor: str
    check: str
    also: frozenset[str]
    edits: tuple[tuple[str, str, str], ...]

    def apply(self, service: Path) -> None:
        """Put the fault into a service; raises `LookupError` where its place is not found."""
        for pattern, old, new in self.edits:
            if not old:
                path = service / pattern
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(new, encoding="utf-8")
                continue
            files = [path for path in service.glob(pattern) if path.is_file()]
            texts = [path.read_text(encoding="utf-8") for path in files]
            if len(files) != 1 or old not in texts[0]:
                raise LookupError(f"{self.fault}: {pattern} holds no {old!r}")
            files[0].write_text(texts[0].replace(old, new), encoding="utf-8")


def mutants() -> list[Mutant]:
    """Read all faults, in the order of their files."""
    return [
        Mutant(
            entry["fault"],
            path.stem,
            entry["check"],
            frozenset(entry.get("also", ())),
            tuple((edit["file"], edit.get("old", ""), edit["new"]) for edit in entry["edit"]),
        )
        for path in sorted((ROOT / "tests" / "mutants").glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    ]


MUTANTS = mutants()
