"""What is wrong is told in one line: which variant, which file, which rule."""

import re
from collections.abc import Iterable

import pytest

FINDING = re.compile(
    r"""^(?:\S+\.\w+:\d+.*          # ruff, mypy, deptry: a place and a rule
        |Would\ reformat:.*         # ruff format
        |.*\ BROKEN.*               # import-linter: a contract
        |(?:FAILED|ERROR)\ .*       # pytest: a test and why
        |make:\ \*\*\*.*)$""",
    re.MULTILINE | re.VERBOSE,
)


def verdict(variant: str, rule: str, findings: Iterable[str], said: str = "") -> None:
    """Fail if there are findings, with the first in the line that pytest repeats at its end."""
    first, *more = [*findings, ""]
    if first:
        rest = f" (and {len(more) - 1} more)" if more[:-1] else ""
        pytest.fail("\n".join([f"{variant}: {first} [{rule}]{rest}", *more, said]), pytrace=False)


def findings_in(said: str) -> list[str]:
    """Return the lines of a tool's output that name a place and a rule; if none does, the last."""
    found = [match[0].strip() for match in FINDING.finditer(said)]
    return found or said.strip().splitlines()[-1:] or ["failed and said nothing"]
