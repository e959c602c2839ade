"""Fixtures of the service's tests, a fast event loop, and a report of all measurements."""

import resource

import pytest

from tests.conftest import *  # noqa: F403

from .traffic import VARIABLES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each measurement with its bounds and its test."""
    terminalreporter.section("measurements")
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            test = report.nodeid.removeprefix("chaos/")
            for name, measured in report.user_properties:
                terminalreporter.write_line(f"{f'{name}: {measured}':<87} {test}")


@pytest.fixture(scope="session")  # type: ignore[no-redef]  # Overrides that of the tests.
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Use uvloop: the load generator shares the processors with the service."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session", autouse=True)
def raise_file_limit() -> None:
    """Raise the limit of open files to the maximum, for this process and its children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(autouse=True)
def ready_for_load(environment: dict[str, str]) -> None:
    environment.update(VARIABLES)
