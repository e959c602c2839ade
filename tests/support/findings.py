"""Test failures in one line: variant, file and rule."""

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


def verdict(variant: str, rule: str, findings: Iterable[str], output: str = "") -> None:
    """Fail if there are findings, with the first in the line of pytest's summary."""
    first, *more = [*findings, ""]
    if first:
        rest = f" (and {len(more) - 1} more)" if more[:-1] else ""
        pytest.fail("\n".join([f"{variant}: {first} [{rule}]{rest}", *more, output]), pytrace=False)


def findings_in(output: str) -> list[str]:
    """Return the lines of a tool's output that name a place and a rule, otherwise the last line."""
    found = [match[0].strip() for match in FINDING.finditer(output)]
    return found or output.strip().splitlines()[-1:] or ["failed without output"]
