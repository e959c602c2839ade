"""Mutants: bugs to put into a service, in `mutants/`, each with the check that must find it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from .template import ROOT


@dataclass(frozen=True)
class Mutant:
    """A bug, and the check that must find it.

    An edit is the path of a file, which may contain `*`, the text to replace, and the new text.
    Without a text to replace, the file is new.
    """

    bug: str
    factor: str
    check: str
    edits: tuple[tuple[str, str, str], ...]

    @property
    def id(self) -> str:
        """The factor and the bug, as the id of a test."""
        return f"{self.factor}-{self.bug.replace(' ', '-')}"

    def apply(self, service: Path) -> None:
        """Put the bug into a service; raise `LookupError` if the text to replace is not found."""
        for pattern, old, new in self.edits:
            if not old:
                path = service / pattern
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(new, encoding="utf-8")
                continue
            files = [path for path in service.glob(pattern) if path.is_file()]
            texts = [path.read_text(encoding="utf-8") for path in files]
            if len(files) != 1 or old not in texts[0]:
                raise LookupError(f"{self.bug}: {old!r} is not in {pattern}")
            files[0].write_text(texts[0].replace(old, new), encoding="utf-8")


MUTANTS = [
    Mutant(
        entry["bug"],
        path.stem,
        entry["check"],
        tuple(
            (edit["file"], edit.get("old", ""), edit["new"]) for edit in entry.get("edit", [entry])
        ),
    )
    for path in sorted((ROOT / "tests" / "mutants").glob("*.toml"))
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
]
