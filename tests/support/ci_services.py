"""Services of each CI provider, rendered once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from .baking import Baker

Services = Callable[..., Path]
FEATURES = [(), ("release",), ("release", "kubernetes")]
"""What a pipeline is made for: checks; releases; deployments."""


@pytest.fixture(scope="session")
def services(cookies_session: Cookies) -> Services:
    """Return the service of a provider with these features, by default with all."""

    @cache
    def service(provider: str, features: tuple[str, ...]) -> Path:
        return Baker(cookies_session).bake(ci=provider, **dict.fromkeys(features, True))

    return lambda provider, features=FEATURES[-1]: service(provider, features)
