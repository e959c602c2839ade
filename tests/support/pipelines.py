"""Reads the pipeline of a service, from the files of whichever CI provider it has."""

from pathlib import Path

from tools.ci_dialects import documents

from .azure_stages import azure
from .circleci_stages import circleci
from .github_stages import github
from .gitlab_stages import gitlab
from .stages import Pipeline


def pipeline(service: Path) -> Pipeline:
    """Return the pipeline of a service."""
    found = documents(service)
    provider = {provider for provider, _ in found.values()}.pop()
    read = {"github": github, "gitlab": gitlab, "azure": azure, "circleci": circleci}[provider]
    return read({path: document for path, (_, document) in found.items()})
