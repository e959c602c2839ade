"""Each check of GitHub workflows finds a workflow that breaks its rule."""

from pathlib import Path

import pytest

from tests.support.editing import edited
from tests.support.github_workflows import GRANTS, actionlint, violations

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

MAKEFILE = """\
.PHONY: check test
check:
\ttrue
test: check
\ttrue
"""


def sample(root: Path, workflow: str = WORKFLOW, action: str = ACTION) -> Path:
    """Write a small repository with one workflow, which uses one composite action."""
    (root / ".github/workflows").mkdir(parents=True)
    (root / ".github/actions/uv").mkdir(parents=True)
    (root / ".github/actions/uv/action.yml").write_text(action)
    (root / ".github/workflows/ci.yml").write_text(workflow)
    (root / "Makefile").write_text(MAKEFILE)
    return root


def test_the_sample_has_no_findings(tmp_path: Path) -> None:
    sample(tmp_path)
    assert violations(tmp_path) == []
    assert actionlint(tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    name: Test\n    runs", "    needs: lint\n    runs", '"lint"'),
        ("github.ref", "github.reff", '"reff" is not defined'),
    ],
)
def test_actionlint_finds_an_error(old: str, new: str, message: str, tmp_path: Path) -> None:
    done = actionlint(sample(tmp_path, workflow=edited(WORKFLOW, old, new)))
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


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
