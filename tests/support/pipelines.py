"""Rendered services with the pipelines of each CI provider."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

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
Features = tuple[str, ...]
FEATURES: list[Features] = [(), ("release",), ("release", "kubernetes")]
"""The features that decide on the stages of a pipeline, from the fewest to the most stages."""
AWS: Features = ("release", "kubernetes", "cloud=aws")
"""The features of a pipeline whose registry is ECR."""
Services = Callable[..., Path]
"""Returns the service with the CI of a provider, by default with all features."""


@pytest.fixture(scope="session")
def services(cookies_session: Cookies) -> Services:
    @cache
    def service(provider: str, features: Features) -> Path:
        answers: dict[str, Any] = {
            name: value or True for name, _, value in (each.partition("=") for each in features)
        }
        return Baker(cookies_session).bake(ci=provider, **answers)

    return lambda provider, features=FEATURES[-1]: service(provider, features)


def pipeline(service: Path) -> Pipeline:
    """Read the pipeline of a service, whichever provider it is for."""
    found = documents(service)
    provider = {provider for provider, _ in found.values()}.pop()
    return READERS[provider]({path: document for path, (_, document) in found.items()})
