"""The GitHub workflows of the template and of services: valid, pinned, least privilege."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.github_workflows import (
    actionlint,
    composite_actions,
    violations,
    workflows,
)
from tests.support.template import ROOT, SERVICE

MANIFESTS = {
    "docker": ["Dockerfile"],
    "docker-compose": ["compose.yaml"],
    "github-actions": [".github/workflows/*.yml", "action.yml"],
    "uv": ["pyproject.toml"],
}
"""The files that Dependabot reads in the folder of an update, by ecosystem."""


def actions(root: Path) -> set[str]:
    """Return the actions that the workflows of a repository use, with commit and version."""
    texts = [file.read_text() for file in (*workflows(root), *composite_actions(root))]
    return {use for text in texts for use in re.findall(r"uses: ([^.].+)", text)}


@pytest.fixture(scope="module")
def deployed_service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(release=True, kubernetes=True)


@pytest.fixture(scope="module")
def service_on_aws(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(release=True, kubernetes=True, cloud="aws")


@pytest.fixture(scope="module")
def service_with_release(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(release=True)


@pytest.fixture(
    scope="module",
    params=[
        "template",
        "default_service",
        "service_with_release",
        "deployed_service",
        "service_on_aws",
    ],
)
def repository(request: pytest.FixtureRequest) -> Path:
    if request.param == "template":
        return ROOT
    service: Path = request.getfixturevalue(request.param)
    return service


def test_actionlint_finds_nothing(repository: Path) -> None:
    done = actionlint(repository)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_follow_the_rules(repository: Path) -> None:
    assert violations(repository) == []


def test_workflows_are_rendered_verbatim(default_service: Path) -> None:
    copy = default_service / ".github"
    files = [file for file in copy.glob("*/**/*") if file.is_file()]
    assert copy / "workflows/ci.yml" in files
    for file in files:
        source = (SERVICE / ".github" / file.relative_to(copy)).read_text()
        text = source.removeprefix("{% raw -%}\n").removesuffix("{% endraw %}\n")
        assert file.read_text() == text, file


def test_a_service_and_the_template_use_the_same_versions_of_actions(default_service: Path) -> None:
    used = actions(default_service)
    assert used > actions(ROOT)
    assert len({use.partition("@")[0] for use in used}) == len(used)


def test_the_workflow_of_the_template_runs_the_commands_of_ci_run() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    commands = {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    command = re.compile(r"^ *(make [a-z-]+)$", re.MULTILINE)
    assert commands == set(command.findall((ROOT / ".ci/run").read_text()))


def updates_of(root: Path) -> list[dict[str, Any]]:
    """Return the updates of Dependabot in a repository."""
    found: list[dict[str, Any]] = yaml.safe_load((root / ".github/dependabot.yml").read_text())[
        "updates"
    ]
    return found


def test_every_update_of_dependabot_has_files_to_read(repository: Path) -> None:
    assert updates_of(repository)
    for update in updates_of(repository):
        assert all(updated_files(repository, update).values()), update


def test_dependabot_updates_all_workflows_and_composite_actions(repository: Path) -> None:
    (update,) = (
        each for each in updates_of(repository) if each["package-ecosystem"] == "github-actions"
    )
    found = {file for files in updated_files(repository, update).values() for file in files}
    assert found == {*workflows(repository), *composite_actions(repository)}


def test_dependabot_updates_the_release_tools(service_with_release: Path) -> None:
    ecosystems = [update["package-ecosystem"] for update in updates_of(service_with_release)]
    assert "docker-compose" in ecosystems


def updated_files(root: Path, update: dict[str, Any]) -> dict[str, list[Path]]:
    """Return the files that an update of Dependabot reads, by folder."""
    folders = update.get("directories") or [update["directory"]]
    patterns = MANIFESTS[update["package-ecosystem"]]
    return {
        folder: [file for each in patterns for file in (root / folder.lstrip("/")).glob(each)]
        for folder in folders
    }
