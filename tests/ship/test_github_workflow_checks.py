"""Each check of GitHub workflows finds a workflow that breaks its rule."""

from pathlib import Path

import pytest

from tests.support.editing import edited
from tests.support.github_workflows import (
    GRANTS,
    LINTERS,
    Lint,
    check_actionlint,
    check_schema,
    check_zizmor,
    violations,
)

COMMIT = "3d3c42e5aac5ba805825da76410c181273ba90b1"
UV_COMMIT = "20cfd1bf945f4377ade1205e4dbc17946fc9a30d"
WORKFLOW = """\
name: CI
on: [pull_request]
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    name: Test
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - name: Check out
        uses: actions/checkout@COMMIT # v7.0.1
        with:
          persist-credentials: false
      - name: Install uv
        uses: ./.github/actions/uv # zizmor: ignore[self-repository]
      - name: Test
        run: make test
""".replace("COMMIT", COMMIT)

ACTION = """\
name: Install uv
description: Puts uv on the path.
runs:
  using: composite
  steps:
    - name: Install uv
      uses: astral-sh/setup-uv@COMMIT # v10.0.1
      with:
        enable-cache: false
""".replace("COMMIT", UV_COMMIT)

EARLY = """\
      - name: Install uv too early
        uses: ./.github/actions/uv
"""

DEPENDABOT = """\
version: 2
updates:
  - package-ecosystem: github-actions
    directory: /
    schedule:
      interval: weekly
    cooldown:
      default-days: 7
"""

MAKEFILE = """\
.PHONY: check test
check:
\ttrue
test: check
\ttrue
"""


SAMPLE = {"workflow": WORKFLOW, "action": ACTION, "dependabot": DEPENDABOT}


def sample(root: Path, **texts: str) -> Path:
    """Write a small repository with one workflow, which uses one composite action."""
    texts = SAMPLE | texts
    (root / ".github/workflows").mkdir(parents=True)
    (root / ".github/actions/uv").mkdir(parents=True)
    (root / ".github/actions/uv/action.yml").write_text(texts["action"])
    (root / ".github/workflows/ci.yml").write_text(texts["workflow"])
    (root / ".github/dependabot.yml").write_text(texts["dependabot"])
    (root / "Makefile").write_text(MAKEFILE)
    return root


@pytest.mark.parametrize("lint", LINTERS)
def test_the_linters_accept_the_sample(lint: Lint, tmp_path: Path) -> None:
    linted = lint(sample(tmp_path))
    assert linted.returncode == 0, linted.stdout


def test_the_rules_accept_the_sample(tmp_path: Path) -> None:
    assert violations(sample(tmp_path)) == []


# One error per linter and file: which errors they find is tested by their authors.
@pytest.mark.parametrize(
    ("lint", "file", "change", "message"),
    [
        (check_schema, "workflow", ("runs-on:", "run-on:"), "'runs-on' is a required property"),
        (check_schema, "dependabot", ("github-actions", "github-action"), "'github-action' is not"),
        (check_schema, "action", ("description:", "summary:"), "'description' is a required"),
        (check_zizmor, "workflow", ("persist-credentials: false", "fetch-depth: 1"), "artipacked"),
        (check_zizmor, "dependabot", ("default-days: 7", "default-days: 6"), "dependabot-cooldown"),
        (check_zizmor, "action", (f"{UV_COMMIT} # v10.0.1", "v10"), "unpinned-uses"),
        (check_actionlint, "workflow", ("github.ref", "github.reff"), '"reff" is not defined'),
    ],
)
def test_each_linter_finds_an_error(
    lint: Lint, file: str, change: tuple[str, str], message: str, tmp_path: Path
) -> None:
    linted = lint(sample(tmp_path, **{file: edited(SAMPLE[file], *change)}))
    assert linted.returncode != 0
    assert message in linted.stdout


@pytest.mark.parametrize("job", sorted(GRANTS))
def test_a_stage_has_exact_permissions_and_never_runs_for_a_pull_request(
    job: str, tmp_path: Path
) -> None:
    grants = "".join(f"      {name}: {what}\n" for name, what in GRANTS[job].items())
    text = edited(WORKFLOW, "  test:\n", f"  {job}:\n").replace("      contents: read\n", grants)
    assert violations(sample(tmp_path, workflow=text)) == [f"{job} has wrong permissions"]
    (tmp_path / ".github/workflows/ci.yml").write_text(edited(text, "pull_request", "push"))
    assert violations(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "violation"),
    [
        ("permissions: {}\n", "", "permissions at the top level"),
        ("permissions: {}\n", "permissions:\n  contents: read\n", "permissions at the top level"),
        ("    timeout-minutes: 5\n", "", "test has no timeout"),
        ("contents: read", "contents: write", "test has wrong permissions"),
        ("contents: read", "contents: read\n      id-token: write", "test has wrong permissions"),
        ("    permissions:\n      contents: read\n", "", "test has wrong permissions"),
        ("make test", "make", "'make' is not a call of make"),
        ("make test", "pytest", "'pytest' is not a call of make"),
        ("make test", "make test && pytest", "'make test && pytest' is not a call of make"),
        ("make test", "|\n          make test\n          pytest", "pytest\\n' is not a call"),
        ("make test", "make check deploy", "the Makefile has no deploy"),
        ("actions/uv", "actions/go", ".github/actions/go does not exist"),
        ("group: ci-", "group: deploy-", "ci.yml cancels running jobs"),
        ("    steps:\n", f"    steps:\n{EARLY}", "actions/uv is used before the checkout"),
    ],
)
def test_each_rule_finds_a_violation(old: str, new: str, violation: str, tmp_path: Path) -> None:
    found = violations(sample(tmp_path, workflow=edited(WORKFLOW, old, new)))
    assert len(found) == 1
    assert violation in found[0]


def test_composite_actions_run_only_make_targets(tmp_path: Path) -> None:
    action = edited(ACTION, "    - name", "    - {name: Go, shell: sh, run: go}\n    - name")
    assert violations(sample(tmp_path, action=action)) == ["'go' is not a call of make"]
