"""What the experiments need: the fixtures of the tests, a quick event loop, many descriptors."""

import resource

import pytest

from tests.conftest import *  # noqa: F403  # Its fixtures, whatever is attached.
from tests.twelve_factor.report import measurements

from .traffic import VARIABLES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every measurement with its bounds."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if report.nodeid.startswith("chaos/")
    ]
    rows = [
        (each, "met" if each.is_within_bounds else "MISSED", report)
        for report in reports
        for each in measurements(report)
    ]
    if rows:
        terminalreporter.section("measurements")
        for each, verdict, report in rows:
            measured = f"{each.name:<44} {each.quantity:<20} {each.bounds:<18}"
            test = report.nodeid.removeprefix("chaos/")
            terminalreporter.write_line(f"{measured} {verdict:<7} {test}")


@pytest.fixture(scope="session")  # type: ignore[no-redef]  # In the place of that of the tests.
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Spend as little of the processor on the load as can be: the service needs it."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session", autouse=True)
def many_descriptors() -> None:
    """Let this process, and those that it starts, open as many files as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(autouse=True)
def ready_for_load(environment: dict[str, str]) -> None:
    environment.update(VARIABLES)
