"""Renders shared by the tests: one folder a variant, made once."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tools import mongodb
from tools.pythons import newest_python

from .support import variant_table
from .support.baking import Baker
from .support.ci_services import services  # noqa: F401  # A fixture.
from .support.cluster import cluster, delivering_python, deployable  # noqa: F401  # Fixtures.
from .support.containers import alone, compose, image, package, service, up  # noqa: F401  # Fixtures.
from .support.environments import Environments
from .support.small_template import marked, output, own, refuses, said, slim, small  # noqa: F401  # Fixtures.
from .support.updates import owned, rendering, template_repository  # noqa: F401  # Fixtures.
from .support.variants import ROWS, VARIANTS, behaviour


def pytest_report_header() -> list[str]:
    return [
        f"services are rendered for Python {newest_python()}",
        f"services with MongoDB are tested on {mongodb.name()}",
    ]


@pytest.hookimpl(tryfirst=True)  # Before xdist reads the marks.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let processes share the tests: a module, or its variants of one kind, are the work of one.

    It renders them once, makes their environment and fills its cache. What takes minutes comes
    first: nothing may wait for it, neither in the end nor in its own process.
    """
    groups = {item: group_of(item) for item in items}
    slow = {groups[item] for item in items if item.get_closest_marker("minutes")}
    items.sort(key=lambda item: (groups[item] not in slow, not item.get_closest_marker("minutes")))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item]))


def group_of(item: pytest.Item) -> str:
    """Return the name of the tests that one process does."""
    if mark := item.get_closest_marker("xdist_group"):
        return str(mark.args[0])
    shared = getattr(getattr(item, "callspec", None), "params", {}).get("variant", "")
    return f"{item.path.stem}-{behaviour(ROWS[shared]) if shared in ROWS else shared}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of variants and checks, if they were run."""
    reports = [
        report
        for outcome in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.getreports(outcome)
    ]
    for line in variant_table.lines(reports):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def inner_sessions_have_a_folder_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the tests that services run keep their files below ours.

    pytest closes the folder of all its sessions to others whenever one starts. Where root runs the
    tests, the embedded servers are another user's, and so would lose their way.
    """
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(tmp_path_factory.mktemp("inner"))


@pytest.fixture
def baker(cookies: Cookies) -> Baker:
    """Renders for one test alone."""
    return Baker(cookies)


@pytest.fixture(scope="session")
def rendered(cookies_session: Cookies) -> Callable[[str], Path]:
    """Return the folder of a variant, by its id; it is rendered when it is first asked for."""
    baker, folders = Baker(cookies_session), dict[str, Path]()

    def folder_of(variant: str) -> Path:
        if variant not in folders:
            folders[variant] = baker.bake(**VARIANTS[variant])
        return folders[variant]

    return folder_of


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Return the environments of this process: two at once would install over each other."""
    return Environments(tmp_path_factory.getbasetemp() / "environments")


@pytest.fixture(scope="session")
def mongodb_url() -> Iterator[str]:
    """Run a server for as long as tests need one."""
    with mongodb.server() as running:
        yield running.url


@pytest.fixture(scope="session")
def default_service(rendered: Callable[[str], Path]) -> Path:
    return rendered("default")
