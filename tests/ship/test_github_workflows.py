"""The workflows of the template and of a service: valid, pinned, least privilege, thin."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.github_workflows import (
    CHECKERS,
    Check,
    composite_actions,
    faults,
    workflows,
)
from tests.support.template import ROOT, SERVICE
from tools.ci_dialects import github

# What each ecosystem of Dependabot reads, below the folder that an update names.
MANIFESTS = {
    "docker": ["Dockerfile"],
    "github-actions": [".github/workflows/*.yml", "action.yml"],
    "uv": ["pyproject.toml"],
}


def actions(root: Path) -> set[str]:
    """Return each action that a repository's workflows use with its commit and version."""
    texts = [file.read_text() for file in (*workflows(root), *composite_actions(root))]
    return {use for text in texts for use in re.findall(r"uses: ([^.].+)", text)}


def commands(root: Path) -> list[str]:
    """Return what the jobs of a repository's workflows run, in the order of the files."""
    jobs = [github(file, root)["jobs"] for file in workflows(root)]
    steps = [step for each in jobs for job in each.values() for step in job.get("steps", [])]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.parametrize("check", CHECKERS)
def test_the_checkers_find_nothing_in_the_template(check: Check) -> None:
    checked = check(ROOT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("check", CHECKERS)
def test_the_checkers_find_nothing_in_a_service(check: Check, default_service: Path) -> None:
    checked = check(default_service)
    assert checked.returncode == 0, checked.stdout


def test_the_workflows_of_the_template_keep_our_rules() -> None:
    assert faults(ROOT) == []


def test_the_workflows_of_a_service_keep_our_rules(default_service: Path) -> None:
    assert faults(default_service) == []


def test_a_service_gets_its_workflows_as_they_stand_in_the_template(default_service: Path) -> None:
    source = SERVICE / ".github"
    copy = default_service / ".github"
    names = {file.relative_to(copy) for file in copy.rglob("*") if file.is_file()}
    assert Path("workflows/ci.yml") in names
    for name in names:
        copied = (default_service / ".github" / name).read_bytes()
        assert copied == (source / name).read_bytes(), name


def test_a_service_uses_the_same_actions_as_the_template(default_service: Path) -> None:
    used, ours = actions(default_service), actions(ROOT)
    assert used > ours
    assert len({use.partition("@")[0] for use in used}) == len(used)


def test_the_workflows_run_what_a_developer_runs(default_service: Path) -> None:
    jobs = ["check", "test", "test-slow", "test-containers"]
    installed = ["make packages"]
    assert [c for c in commands(ROOT) if c not in installed] == [f"make {job}" for job in jobs]
    stages = ["audit", "check", "test", "conformance", "image smoke save"]
    stages += ["load scan", "load publish", "load sbom sign", "update"]
    proposed = "python3 -m dev.pull_request"
    assert commands(default_service) == [*(f"make {targets}" for targets in stages), proposed]


@pytest.fixture(scope="module")
def deployed_service(cookies_session: Cookies) -> Path:
    """A service that is deployed as well."""
    return Baker(cookies_session).bake(kubernetes=True)


@pytest.mark.parametrize("check", CHECKERS)
def test_the_checkers_find_nothing_in_a_service_that_is_deployed(
    check: Check, deployed_service: Path
) -> None:
    checked = check(deployed_service)
    assert checked.returncode == 0, checked.stdout


def test_the_workflows_of_a_service_that_is_deployed_keep_our_rules(
    deployed_service: Path,
) -> None:
    assert faults(deployed_service) == []


def test_a_service_has_one_workflow_that_begins_on_main(
    default_service: Path, deployed_service: Path
) -> None:
    for service, expected in ((default_service, "main.yml"), (deployed_service, "delivery.yml")):
        found = {
            file.name: yaml.safe_load(file.read_text())
            for file in workflows(service)
            if "push" in yaml.safe_load(file.read_text())[True]
        }
        assert list(found) == [expected]
        assert found[expected][True]["push"] == {"branches": ["main"]}
        assert "schedule" in found[expected][True]


def test_what_is_released_was_proved_and_what_is_deployed_was_released(
    deployed_service: Path,
) -> None:
    folder = deployed_service / ".github/workflows"
    delivery = yaml.safe_load((folder / "delivery.yml").read_text())["jobs"]
    assert {name: job.get("needs") for name, job in delivery.items()} == {
        "ci": None,
        "release": "ci",
        "staging": "release",
        "production": "staging",
    }
    release = yaml.safe_load((folder / "release.yml").read_text())["jobs"]
    chain = {name: job.get("needs") for name, job in release.items()}
    assert chain == {"scan": None, "publish": "scan", "sign": "publish"}


def test_dependabot_is_sent_only_to_files_that_it_can_read(default_service: Path) -> None:
    for root in (ROOT, default_service):
        updates = yaml.safe_load((root / ".github/dependabot.yml").read_text())["updates"]
        assert updates
        for update in updates:
            assert all(updated_files(root, update).values()), update


def test_dependabot_updates_the_actions_of_every_workflow_and_composite_action(
    default_service: Path,
) -> None:
    assert composite_actions(default_service)
    for root in (ROOT, default_service):
        updates = yaml.safe_load((root / ".github/dependabot.yml").read_text())["updates"]
        (update,) = (each for each in updates if each["package-ecosystem"] == "github-actions")
        found = {file for files in updated_files(root, update).values() for file in files}
        assert found == {*workflows(root), *composite_actions(root)}


def updated_files(root: Path, update: dict[str, Any]) -> dict[str, list[Path]]:
    """Return the files that an update of Dependabot reads, by the folder that it names."""
    folders = update.get("directories") or [update["directory"]]
    patterns = MANIFESTS[update["package-ecosystem"]]
    return {
        folder: [file for each in patterns for file in (root / folder.lstrip("/")).glob(each)]
        for folder in folders
    }
