"""Measurements of a test with their bounds, and the report: one row per factor."""

import ast
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

NOT_APPLICABLE = "not applicable"
NUMERALS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
OUTCOMES = ("passed", "failed", "error", "skipped")
VERDICTS = ("failed", "passed", "skipped", NOT_APPLICABLE)


@dataclass(frozen=True)
class Figure:
    """One measurement, and its bound, if it has one."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def asked(self) -> str:
        """The bound, in the unit of the figure."""
        bounds = {"at least": self.at_least, "at most": self.at_most}
        return ", ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)

    @property
    def is_met(self) -> bool:
        """Whether the value is within its bound."""
        if self.at_most is not None and self.value > self.at_most:
            return False
        return self.at_least is None or self.value >= self.at_least

    @property
    def measured(self) -> str:
        """The value with its unit."""
        return f"{self.value:{',.0f' if self.value >= 1000 else '.3g'}} {self.unit}"

    def __str__(self) -> str:
        """Return the figure as a person reads it."""
        return f"{self.name} {self.measured}" + (f" ({self.asked})" if self.asked else "")


class Figures:
    """Keeps the figures of one test."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def __call__(self, name: str, value: float, unit: str, **bounds: float) -> None:
        """Keep a figure; fail if it is out of its bounds, `at_most` and `at_least`."""
        figure = Figure(name, value, unit, **bounds)
        self._properties.append(("figure", figure))
        assert figure.is_met, figure


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Figures:
    """Return what keeps the figures of this test, in JUnit's report as well."""
    return Figures(request.node.user_properties)


def figures_of(report: pytest.TestReport) -> list[Figure]:
    """Return what a test has measured."""
    return [value for name, value in report.user_properties if name == "figure"]  # type: ignore[misc]


@dataclass
class Row:
    """What became of the checks of one factor."""

    factor: str
    command: str
    checks: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Sum up; what was left out is not a pass."""
        found = [outcome for outcome in VERDICTS if outcome in self.checks.values()]
        return found[0]

    def __str__(self) -> str:
        """Return the row as a person reads it."""
        outcomes = list(self.checks.values())
        counts = [f"{outcomes.count(each)} {each}" for each in VERDICTS if each in outcomes]
        measured = "; ".join([", ".join(counts), *map(str, self.figures)])
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


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print a row a factor; beside a report for JUnit, leave the same as JSON."""
    reports = [
        report
        for outcome in OUTCOMES
        for report in terminalreporter.stats.get(outcome, [])
        if isinstance(report, pytest.TestReport) and "/twelve_factor/" in report.nodeid
    ]
    if not (table := rows(reports)):
        return
    terminalreporter.section("the twelve factors")
    for row in table:
        terminalreporter.write_line(str(row))
    if junit := config.getoption("xmlpath"):
        found = [asdict(row) | {"verdict": row.verdict} for row in table]
        Path(junit).with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
