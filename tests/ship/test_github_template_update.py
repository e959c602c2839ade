"""The GitHub workflow for template updates opens one pull request, and none without changes."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.template_releases import commit, git

GH = """#!/bin/sh
echo "$*" >> "$GH_CALLS"
[ "$2" != view ] || [ -e "$GH_CALLS.open" ] || exit 1
[ "$2" != create ] || touch "$GH_CALLS.open"
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of a repository with one commit, and put a recording `gh` beside it."""
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "Makefile").write_text("update:\n")
    commit(origin)
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    return tmp_path / "clone"


def open_pull_request(default_service: Path, clone: Path) -> list[str]:
    """Run the last step of the workflow; return the calls of `gh pr` so far."""
    workflow = default_service / ".github/workflows/template-update.yml"
    script = yaml.safe_load(workflow.read_text())["jobs"]["update"]["steps"][-1]["run"]
    path, calls = clone.parent / "bin", clone.parent / "calls"
    variables = os.environ | {"PATH": f"{path}:{os.environ['PATH']}", "GH_CALLS": str(calls)}
    subprocess.run(["bash", "-ec", script], cwd=clone, env=variables, check=True)
    lines = calls.read_text().splitlines() if calls.exists() else []
    return [line.split()[1] for line in lines if line.startswith("pr ")]


def test_an_update_without_changes_opens_no_pull_request(
    default_service: Path, clone: Path
) -> None:
    assert open_pull_request(default_service, clone) == []
    assert "template-update" not in git(clone.parent / "origin", "branch")


def test_an_update_is_pushed_and_opens_one_pull_request(default_service: Path, clone: Path) -> None:
    for content, calls in (("one", ["view", "create"]), ("two", ["view", "create", "view"])):
        git(clone, "switch", "--quiet", "--force-create", "main", "origin/main")
        git(clone, "branch", "--delete", "--force", "template-update") if content == "two" else None
        (clone / "new").write_text(content)
        assert open_pull_request(default_service, clone) == calls
        assert git(clone.parent / "origin", "show", "template-update:new") == content
