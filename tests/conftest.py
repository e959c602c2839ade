"""Renders shared by the tests: one folder a variant, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tools.pythons import newest_python

from .baking import Baker
from .variants import VARIANTS


def pytest_report_header() -> str:
    return f"services are rendered for Python {newest_python()}"


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
def default_service(rendered: Callable[[str], Path]) -> Path:
    return rendered("default")
