"""Rendered services with the pipelines of each CI provider."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tools.ci_dialects import documents

from .azure_stages import azure
from .baking import Baker
from .circleci_stages import circleci
from .github_stages import github
from .gitlab_stages import gitlab
from .stages import Pipeline

READERS = {"github": github, "gitlab": gitlab, "azure": azure, "circleci": circleci}
Services = Callable[..., Path]
"""Returns the service with the CI of a provider, by default with Kubernetes."""


@pytest.fixture(scope="session")
def services(cookies_session: Cookies) -> Services:
    @cache
    def service(provider: str, kubernetes: bool) -> Path:
        return Baker(cookies_session).bake(ci=provider, kubernetes=kubernetes)

    return lambda provider, kubernetes=True: service(provider, kubernetes)


def pipeline(service: Path) -> Pipeline:
    """Read the pipeline of a service, whichever provider it is for."""
    found = documents(service)
    provider = {provider for provider, _ in found.values()}.pop()
    return READERS[provider]({path: document for path, (_, document) in found.items()})
