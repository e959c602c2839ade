"""Measurements of tests with their bounds, and the report: one section per factor."""

import linecache
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf, isfinite
from time import perf_counter

import pytest

ORDER = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "Beyond"]


@dataclass(frozen=True)
class Measurement:
    """A measured value and its bounds."""

    name: str
    value: float
    unit: str
    at_least: float = -inf
    at_most: float = inf

    @property
    def is_within_bounds(self) -> bool:
        """Whether the value is neither too small nor too large."""
        return self.at_least <= self.value <= self.at_most

    @property
    def quantity(self) -> str:
        """The value with its unit."""
        return f"{self.value:{',.0f' if self.value >= 1000 else '.3g'}} {self.unit}"

    @property
    def bounds(self) -> str:
        """The bounds, in the unit of the value; empty if there are none."""
        bounds = {"at least": self.at_least, "at most": self.at_most}
        return ", ".join(f"{name} {bound:g}" for name, bound in bounds.items() if isfinite(bound))

    def __str__(self) -> str:
        """Return the quantity, with its bounds in parentheses."""
        return f"{self.quantity} ({self.bounds})" if self.bounds else self.quantity


class Measure:
    """Records the measurements of a test, which fails if one is out of bounds."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def __call__(self, name: str, value: float, unit: str, **bounds: float) -> None:
        """Record a value, whose bounds are `at_least` and `at_most`."""
        measurement = Measurement(name, value, unit, **bounds)
        self._properties.append((name, measurement))
        assert measurement.is_within_bounds, f"{name}: {measurement}"

    @contextmanager
    def seconds(self, name: str, at_most: float) -> Iterator[None]:
        """Record how long a block takes."""
        start = perf_counter()
        yield
        self(name, perf_counter() - start, "s", at_most=at_most)


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Measure:
    return Measure(request.node.user_properties)


def measurements(report: pytest.TestReport) -> list[Measurement]:
    """Return the measurements of a test."""
    return [value for _, value in report.user_properties if isinstance(value, Measurement)]


def outcome(report: pytest.TestReport) -> str:
    """Return the outcome of a test; of a skipped one with the reason."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return f"skipped, {report.longrepr[2].removeprefix('Skipped: ')}"
    return report.outcome


def title(report: pytest.TestReport) -> str:
    """Return the title of a factor from the first line of its module."""
    return linecache.getline(str(report.fspath), 1).strip('"').partition(":")[0]


def place(factor: str) -> tuple[int, str]:
    """Return the place of a factor in the report."""
    numeral = factor.partition(" ")[0].rstrip(".")
    return ORDER.index(numeral) if numeral in ORDER else len(ORDER), factor


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a section for each factor: its checks by outcome, then the measurements."""
    factors: dict[str, dict[str, pytest.TestReport]] = defaultdict(dict)
    for category in ("skipped", "passed", "failed", "error"):
        for report in terminalreporter.stats.get(category, []):
            if isinstance(report, pytest.TestReport) and "/twelve_factor/" in report.nodeid:
                factors[title(report)][report.nodeid] = report
    if factors:
        terminalreporter.section("the twelve factors")
    for factor in sorted(factors, key=place):
        reports = factors[factor].values()
        terminalreporter.write_line(factor, bold=True)
        for name, count in sorted(Counter(map(outcome, reports)).items()):
            terminalreporter.write_line(f"    {count} {name}")
        for report in reports:
            for measurement in measurements(report):
                terminalreporter.write_line(f"    {measurement.name}: {measurement}")
