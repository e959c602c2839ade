"""Measurements of tests with their bounds, and the report: one section per factor."""

import linecache
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, isfinite
from time import perf_counter

import pytest

ORDER = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "Beyond"]


class Measure:
    """Records the measurements of a test, which fails if one is out of bounds."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def __call__(
        self, name: str, value: float, unit: str, at_least: float = -inf, at_most: float = inf
    ) -> None:
        """Record a value, which must be within its bounds."""
        quantity = f"{value:{',.0f' if value >= 1000 else '.3g'}} {unit}".rstrip()
        limits = {"at least": at_least, "at most": at_most}
        bounds = [f"{word} {limit:g}" for word, limit in limits.items() if isfinite(limit)]
        text = f"{quantity} ({', '.join(bounds)})" if bounds else quantity
        self._properties.append((name, text))
        assert at_least <= value <= at_most, f"{name}: {text}"

    @contextmanager
    def seconds(self, name: str, at_most: float) -> Iterator[None]:
        """Record how long a block takes."""
        start = perf_counter()
        yield
        self(name, perf_counter() - start, "s", at_most=at_most)


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Measure:
    return Measure(request.node.user_properties)


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
            for name, measured in report.user_properties:
                terminalreporter.write_line(f"    {name}: {measured}")
