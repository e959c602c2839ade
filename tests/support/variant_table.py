"""A table of variants and checks with durations or failures, for pytest's summary."""

import re
from collections import defaultdict

import pytest

from .variants import CI_RUNS, FIRST_WITH_BEHAVIOUR, OUTSIDE_CI, ROWS, behaviour

COLUMNS = {
    "test_inspection": "inspection",
    "test_make_check": "make check",
    "test_dependencies": "dependencies",
    "test_make_test": "make test",
}
"""The columns for the tests of `test_variants.py`."""
CASE = re.compile(r"tests/renders/test_variants\.py::(\w+)\[([^\]]+)\]")


def lines(reports: list[pytest.TestReport]) -> list[str]:
    """Return the table and below it one line per failure; nothing if no check ran."""
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    outcomes: dict[tuple[str, str], str] = {}
    failures = []
    for report in reports:
        if cell := cell_of(report.nodeid):
            seconds[cell] += report.duration
            if outcomes.get(cell, "passed") == "passed":
                outcomes[cell] = report.outcome
            if report.failed:
                failures.append(report.longreprtext.partition("\n")[0])
    if not outcomes:
        return []
    rows = [row(" ", list(COLUMNS.values()), "variant")]
    for number, variant in enumerate(ROWS, 1):
        cells = [
            f"{seconds[variant, test]:.1f} s" if outcome == "passed" else outcome
            for test in COLUMNS
            for outcome in [outcomes.get((variant, test)) or covered_by(variant, test)]
        ]
        rows.append(row(number, cells, variant))
    return ["", *rows, "", *failures]


def row(number: int | str, cells: list[str], variant: str) -> str:
    return f"{number:>3}" + "".join(f"{cell:>14}" for cell in cells) + f"  {variant}"


def cell_of(nodeid: str) -> tuple[str, str] | None:
    """Return the variant and the test of a test id, which may have a further parameter."""
    found = CASE.match(nodeid)
    if not found or found[1] not in COLUMNS:
        return None
    names = [found[2], *(found[2].removesuffix(f"-{last}") for last in found[2].split("-")[-1:])]
    variant = next((name for name in names if name in ROWS), None)
    return (variant, found[1]) if variant else None


def covered_by(variant: str, test: str) -> str:
    """Return where a variant without `make test` is covered: the pipeline or other rows."""
    if test != "test_make_test":
        return "-"
    if behaviour(ROWS[variant]) in CI_RUNS:
        return "pipeline"
    first = FIRST_WITH_BEHAVIOUR[behaviour(ROWS[variant])]
    if first not in OUTSIDE_CI:
        return "in pairs"
    return "-" if first == variant else f"as row {list(ROWS).index(first) + 1}"
