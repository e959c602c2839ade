"""One row a factor: the verdict, what was measured, and the command that does it again."""

import ast
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from ..support.figures import Figure, figures_of

NOT_APPLICABLE = "not applicable"
NUMERALS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]


@dataclass
class Row:
    """What became of the checks of one factor."""

    factor: str
    command: str
    checks: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Sum up; what was left out is no pass."""
        outcomes = set(self.checks.values())
        for outcome in ("failed", "passed", "skipped"):
            if outcome in outcomes:
                return outcome
        return NOT_APPLICABLE

    def __str__(self) -> str:
        """Return the row as a person reads it."""
        counts = ", ".join(
            f"{list(self.checks.values()).count(outcome)} {outcome}"
            for outcome in ("passed", "failed", "skipped", NOT_APPLICABLE)
            if outcome in self.checks.values()
        )
        measured = "; ".join([counts, *map(str, self.figures)])
        return f"{self.factor:<38} {self.verdict.upper():<15} {measured}  [{self.command}]"


def rows(reports: list[pytest.TestReport]) -> list[Row]:
    """Sort the reports of all checks into rows, in the order of the factors."""
    found: dict[str, Row] = {}
    checks: dict[str, dict[str, str]] = defaultdict(dict)
    for report in reports:
        path, _, check = report.nodeid.partition("::")
        if path not in found:
            docstring = ast.get_docstring(ast.parse(Path(path).read_text(encoding="utf-8"))) or path
            found[path] = Row(docstring.partition(":")[0], f"uv run pytest {path}", checks[path])
        if checks[path].get(check) != "failed":
            checks[path][check] = _outcome(report)
        found[path].figures += figures_of(report)
    return sorted(found.values(), key=_place)


def _place(row: Row) -> tuple[int, str]:
    numeral = row.factor.partition(".")[0]
    return NUMERALS.index(numeral) if numeral in NUMERALS else len(NUMERALS), row.factor


def _outcome(report: pytest.TestReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        return NOT_APPLICABLE if reason.startswith(NOT_APPLICABLE) else "skipped"
    return report.outcome


def as_json(table: list[Row]) -> str:
    """Return the rows for machines."""
    return json.dumps([asdict(row) | {"verdict": row.verdict} for row in table], indent=2) + "\n"
