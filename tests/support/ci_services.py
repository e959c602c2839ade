"""Services of each CI provider, rendered once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from .baking import Baker

Services = Callable[..., Path]
"""Returns the service of a provider, deployed to Kubernetes unless told otherwise."""


@pytest.fixture(scope="session")
def services(cookies_session: Cookies) -> Services:
    """Return the service of a provider, with Kubernetes or without; each is rendered once."""

    @cache
    def service(provider: str, kubernetes: bool) -> Path:
        return Baker(cookies_session).bake(ci=provider, kubernetes=kubernetes)

    return lambda provider, kubernetes=True: service(provider, kubernetes)
