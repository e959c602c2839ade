"""A table of the variants and what they were checked for: seconds, or what was not well."""

import re
from collections import defaultdict

import pytest

from .variants import CI_RUNS, FIRST_OF_ITS_KIND, ROWS, behaviour

COLUMNS = {
    "test_to_the_eye": "to the eye",
    "test_its_own_checks": "make check",
    "test_its_dependencies": "dependencies",
    "test_its_own_tests": "make test",
}
"""The tests of `test_variants.py`, by their names."""
CASE = re.compile(r"tests/renders/test_variants\.py::(\w+)\[([^\]]+)\]")


def lines(reports: list[pytest.TestReport]) -> list[str]:
    """Return the lines of the table: a row a variant, a column a check; nothing if none ran.

    Below stands, in a line each and uncut, what was not well.
    """
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    outcomes: dict[tuple[str, str], str] = {}
    faults = []
    for report in reports:
        if cell := cell_of(report.nodeid):
            seconds[cell] += report.duration
            if outcomes.get(cell, "passed") == "passed":
                outcomes[cell] = report.outcome
            if report.failed:
                faults.append(report.longreprtext.partition("\n")[0])
    if not outcomes:
        return []
    rows = [row(" ", list(COLUMNS.values()), "variant")]
    for number, variant in enumerate(ROWS, 1):
        cells = [
            f"{seconds[variant, test]:.1f} s" if outcome == "passed" else outcome
            for test in COLUMNS
            for outcome in [outcomes.get((variant, test)) or alike(variant, test)]
        ]
        rows.append(row(number, cells, variant))
    return ["", *rows, "", *faults]


def row(number: int | str, cells: list[str], variant: str) -> str:
    return f"{number:>3}" + "".join(f"{cell:>14}" for cell in cells) + f"  {variant}"


def cell_of(nodeid: str) -> tuple[str, str] | None:
    """Return the variant and the test, which may have a further parameter."""
    found = CASE.match(nodeid)
    if not found or found[1] not in COLUMNS:
        return None
    names = [found[2], *(found[2].removesuffix(f"-{last}") for last in found[2].split("-")[-1:])]
    variant = next((name for name in names if name in ROWS), None)
    return (variant, found[1]) if variant else None


def alike(variant: str, test: str) -> str:
    """Say of what has no figure whether another stands for it, by the number of its row."""
    if test != "test_its_own_tests":
        return "-"
    kind = behaviour(ROWS[variant])
    if kind in CI_RUNS:
        return "pipeline"
    first = FIRST_OF_ITS_KIND[kind]
    return "-" if first == variant else f"as row {list(ROWS).index(first) + 1}"
