"""The bug of a step and its fix as patches and excerpts of a rendered service."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from pathlib import Path
from textwrap import dedent

from .step import Step

FUNCTION = re.compile(r"(?P<indent> *)(?:async )?def (?P<name>\w+)")
CONTEXT_LINES = 6
MAX_LINES = 40
"""Of an excerpt."""


@dataclass(frozen=True)
class Excerpt:
    """Lines of a file of the service, and which of them the fix restores."""

    path: str
    first: int
    lines: list[str]
    fixed: set[int]

    @property
    def last(self) -> int:
        """The number of the last line."""
        return self.first + len(self.lines) - 1

    @property
    def numbered(self) -> list[tuple[int, str]]:
        """The lines with their numbers, without the indentation that they share."""
        lines = dedent("\n".join(self.lines)).split("\n")
        return list(enumerate(lines, self.first))


@dataclass(frozen=True)
class Change:
    """A file with the bug and without it; an empty one does not exist."""

    path: str
    broken: list[str]
    right: list[str]

    def bug(self) -> list[str]:
        """Return the patch that puts the bug in."""
        return _patch(self.path, self.right, self.broken)

    def fix(self) -> list[str]:
        """Return the patch that removes the bug."""
        return _patch(self.path, self.broken, self.right)

    def blocks(self) -> list[range]:
        """Return the indices of the lines that the fix restores; empty ranges for deletions."""
        matcher = SequenceMatcher(None, self.broken, self.right, autojunk=False)
        return [
            range(start, end) for tag, _, _, start, end in matcher.get_opcodes() if tag != "equal"
        ]

    def excerpt(self) -> Excerpt:
        """Return the function around the largest block of the fix, or else some lines around it."""
        block = max(self.blocks(), key=len)
        anchor = min(block.start, len(self.right) - 1)
        start = max(0, anchor - CONTEXT_LINES)
        end = min(len(self.right), max(block.stop, anchor + 1) + CONTEXT_LINES)
        if self.path.endswith(".py"):
            around = [
                each
                for _, each in _functions(self.right)
                if each.start <= anchor and block.stop <= each.stop and len(each) <= MAX_LINES
            ]
            if around:
                innermost = min(around, key=len)
                start, end = innermost.start, innermost.stop
        fixed = {index + 1 for each in self.blocks() for index in each if start <= index < end}
        return Excerpt(self.path, start + 1, self.right[start:end], fixed)


def changes(step: Step, service: Path) -> list[Change]:
    """Return the files that the bug of a step changes in a rendered service."""
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder)
        for pattern, _, _ in step.mutant.edits:
            for path in service.glob(pattern):
                copy = broken / path.relative_to(service)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
        step.mutant.apply(broken)
        files = sorted(path.relative_to(broken) for path in broken.rglob("*") if path.is_file())
        return [Change(str(file), _lines(broken / file), _lines(service / file)) for file in files]


def source(step: Step, service: Path) -> Excerpt:
    """Return the function of the check of a step."""
    path, _, name = step.check.partition("::")
    lines = _lines(service / path)
    for each, found in _functions(lines):
        if each == name:
            return Excerpt(path, found.start + 1, lines[found.start : found.stop], set())
    raise LookupError(f"{step.id}: {name} is not in {path}")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _patch(path: str, before: list[str], after: list[str]) -> list[str]:
    names = (f"a/{path}" if before else "/dev/null", f"b/{path}" if after else "/dev/null")
    lines = [line.rstrip() for line in unified_diff(before, after, *names, lineterm="")]
    while not lines[-1]:
        lines.pop()
    return lines


def _functions(lines: list[str]) -> Iterator[tuple[str, range]]:
    """Yield the name and the indices of the lines of each function.

    Functions are found by their indentation, since the service may use a newer Python than this.
    """
    for index, line in enumerate(lines):
        if found := FUNCTION.match(line):
            start, stop = index, index + 1
            while lines[start - 1].startswith(f"{found['indent']}@"):
                start -= 1
            within = re.compile(rf"{found['indent']}( |\)|$)|$")
            while stop < len(lines) and within.match(lines[stop]):
                stop += 1
            while not lines[stop - 1]:
                stop -= 1
            yield found["name"], range(start, stop)
