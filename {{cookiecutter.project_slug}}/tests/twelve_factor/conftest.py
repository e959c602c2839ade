"""What the checks of all factors use, and the table that they end in."""

from pathlib import Path

import pytest

from ..support.figures import measured
from .image import image
from .report import as_json, rows

__all__ = ["image", "measured"]

OUTCOMES = ("passed", "failed", "error", "skipped")


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
    table = rows(reports)
    if table:
        terminalreporter.section("the twelve factors")
        for row in table:
            terminalreporter.write_line(str(row))
    if junit := config.getoption("xmlpath"):
        Path(junit).with_suffix(".json").write_text(as_json(table), encoding="utf-8")
