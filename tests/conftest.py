"""Shared fixtures, and the distribution of tests to processes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tools import mongodb
from tools.pythons import newest_python

from .support import variant_table
from .support.baking import Baker
from .support.cluster import cluster, deployable  # noqa: F401  # Fixtures.
from .support.containers import compose, image, service, up  # noqa: F401  # Fixtures.
from .support.deployed_service import group_of_service
from .support.environments import Environments
from .support.pipelines import services  # noqa: F401  # A fixture.
from .support.released_service import (  # noqa: F401  # Fixtures.
    key_signer,
    keyless_signer,
    make_release,
    other_release,
    private_sigstore,
    publish_change,
    registry,
    release_folder,
    released_service,
    signed_release,
)
from .support.small_template import (  # noqa: F401  # Fixtures.
    assert_rejected,
    marked,
    marked_contents,
    output,
    own,
    small,
    small_folder,
)
from .support.updates import owned, rendering, template_repository  # noqa: F401  # Fixtures.
from .support.variants import ROWS, VARIANTS, behaviour


def pytest_report_header() -> list[str]:
    return [
        f"services are rendered for Python {newest_python()}",
        f"services with MongoDB are tested with {mongodb.name()}",
    ]


@pytest.hookimpl(tryfirst=True)  # Before pytest-xdist reads the marks.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests for pytest-xdist and put groups with tests that take minutes first.

    A group shares renders, virtual environments and caches in one process. Starting long tests
    first avoids waiting for one of them at the end.
    """
    groups = {item: group_of(item) for item in items}
    slow = {groups[item] for item in items if item.get_closest_marker("minutes")}
    items.sort(key=lambda item: (groups[item] not in slow, not item.get_closest_marker("minutes")))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item]))


def group_of(item: pytest.Item) -> str:
    """Return the group of a test: its module, or the variants of it that behave alike."""
    if mark := item.get_closest_marker("xdist_group"):
        return str(mark.args[0])
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if deployed := parameters.get("rendered_service"):
        return f"cluster-{group_of_service(deployed)}"
    shared = parameters.get("variant", "")
    return f"{item.path.stem}-{behaviour(ROWS[shared]) if shared in ROWS else shared}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of variants and checks if any were run."""
    reports = [
        report
        for outcome in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.getreports(outcome)
    ]
    for line in variant_table.lines(reports):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def separate_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give the pytest sessions of rendered services a separate temporary folder.

    Each session of pytest makes the shared folder inaccessible to other users. If root runs the
    tests, the embedded servers run as another user and would lose access to their data.
    """
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(tmp_path_factory.mktemp("inner"))


@pytest.fixture
def baker(cookies: Cookies) -> Baker:
    """Renders for a single test."""
    return Baker(cookies)


@pytest.fixture(scope="session")
def rendered(cookies_session: Cookies) -> Callable[[str], Path]:
    """Return a function that returns the render of a variant; each is rendered once."""
    baker, folders = Baker(cookies_session), dict[str, Path]()

    def folder_of(variant: str) -> Path:
        if variant not in folders:
            folders[variant] = baker.bake(**VARIANTS[variant])
        return folders[variant]

    return folder_of


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """The virtual environments of this process, since installations must not run concurrently."""
    return Environments(tmp_path_factory.getbasetemp() / "environments")


@pytest.fixture(scope="session")
def mongodb_url() -> Iterator[str]:
    """The URL of a MongoDB server."""
    with mongodb.server() as running:
        yield running.url


@pytest.fixture(scope="session")
def default_service(rendered: Callable[[str], Path]) -> Path:
    return rendered("default")
