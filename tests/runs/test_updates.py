"""A newer release, or another answer, reaches a service that a team has edited."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.template import OPTIONS
from tests.support.template_releases import (
    NEWER,
    NO_MORE,
    NOT_YET,
    OLDER,
    commit,
    contents,
    cruft,
    git,
    replace,
)
from tests.support.updates import (
    Made,
    as_a_team_does,
    conflicts,
    cruft_update,
    edited,
    must_make,
    must_run,
    must_update,
    nothing,
    state,
    without_the_example,
)
from tests.support.variants import VALUES, deciding
from tools.pythons import UV

pytestmark = pytest.mark.minutes


@pytest.mark.parametrize("update", [cruft_update, must_update])
@pytest.mark.parametrize("edit", [nothing, as_a_team_does, without_the_example])
def test_a_newer_release_changes_all_but_what_was_edited(
    edit: Callable[[Path], None],
    update: Callable[[Path], object],
    owned: Made,
    rendering: Made,
    tmp_path: Path,
) -> None:
    service, newer = owned(OLDER, edit), rendering(NEWER)
    update(service)
    assert conflicts(service) == []
    assert contents(service) == edited(newer, edit, tmp_path / "edited")
    assert state(service)["commit"] == state(newer)["commit"]
    assert state(service)["context"] == state(newer)["context"]
    assert state(service)["template"] == state(newer)["template"]


def test_the_older_release_differs_in_files_lines_and_manifest(rendering: Made) -> None:
    older, newer = contents(rendering(OLDER)), contents(rendering(NEWER))
    assert len(newer.keys() - older.keys()) == len(NOT_YET)
    assert older.keys() - newer.keys() == {NO_MORE}
    assert sum(older[name] != newer[name] for name in older.keys() & newer.keys()) > 7


def test_a_line_that_both_have_changed_is_the_only_conflict(owned: Made, rendering: Made) -> None:
    def edit(service: Path) -> None:
        (line,) = re.findall('"fastapi>.*', (service / "pyproject.toml").read_text())
        replace(service / "pyproject.toml", line, '"fastapi==0.9",')

    service, newer = owned(OLDER, edit), contents(rendering(NEWER))
    cruft(service, "update", "--skip-apply-ask")
    assert conflicts(service) == ["pyproject.toml"]
    now = contents(service)
    merged = now.pop("pyproject.toml").decode()
    theirs = re.sub(r"<<<<<<< .*\n(?:.*\n)=======\n(.*\n)>>>>>>> .*\n", r"\1", merged)
    assert theirs.encode() == newer.pop("pyproject.toml")
    assert now == newer


SWITCHES = {
    option: {option: values[-1]}
    for option, values in VALUES.items()
    if option in OPTIONS and len(values) > 1
}
"""One other answer to each question that has several."""
CODED = deciding("src/")
"""Those that decide on code; the rest is proved apart, since each takes as long."""


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(answer, id=option, marks=[] if option in CODED else [pytest.mark.slow])
        for option, answer in SWITCHES.items()
    ],
)
def test_an_answer_can_be_changed_later_and_a_yes_taken_back(
    answers: dict[str, Any], owned: Made, rendering: Made, tmp_path: Path
) -> None:
    edit = nothing if "database" in answers else as_a_team_does
    service = owned(NEWER, edit)
    before, license_text = contents(service), (service / "LICENSE").read_bytes()
    first = {name: state(service)["context"]["cookiecutter"][name] for name in answers}

    must_update(service, **answers)
    assert conflicts(service) == []
    changed = edited(rendering(NEWER, **answers), edit, tmp_path / "edited")
    assert contents(service) == changed | {"LICENSE": license_text}
    if all(isinstance(answer, bool) for answer in answers.values()):
        commit(service)
        must_update(service, **first)
        assert conflicts(service) == []
        assert contents(service) == before


def test_what_cannot_be_merged_is_named_beside_what_is_new(
    owned: Made, rendering: Made, tmp_path: Path
) -> None:
    def edit(service: Path) -> None:
        (line,) = re.findall('"fastapi>.*', (service / "pyproject.toml").read_text())
        replace(service / "pyproject.toml", line, f"{line}  # Ours.")
        replace(service / NO_MORE, "Retired", "Not yet retired")
        (service / "tests/chassis/test_stdout.py").write_text('"""Ours."""\n')

    origin, service = owned(OLDER, edit), tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{origin}", service.name)
    said = must_update(service)
    in_conflict = {NO_MORE, "pyproject.toml", "tests/chassis/test_stdout.py"}
    assert set(conflicts(service)) == in_conflict
    lines = (service / "pyproject.toml").read_text().splitlines()
    where = f"both sides stand there, from line {lines.index('<<<<<<< HEAD') + 1}"
    assert f"- `pyproject.toml`: {where}\n" in said
    assert "- `tests/chassis/test_stdout.py`: both sides stand there, from line 1\n" in said
    assert f"- `{NO_MORE}`: one side edited, the other deleted it\n" in said
    assert said.startswith(f"# Template: {NEWER}\n\nThis was made from {OLDER}.")
    assert said.endswith(
        "### BREAKING\n\nRename the widgets.\n\n### New\n\n- Cross-origin requests.\n\n"
    )
    assert f"## {OLDER}" not in said
    assert (service / ".reports/template-update.md").read_text() == said
    now, newer = contents(service), contents(rendering(NEWER))
    assert {n for n in now.keys() | newer.keys() if now.get(n) != newer.get(n)} == in_conflict


def test_a_service_in_a_folder_of_its_repository_is_updated_there(
    rendering: Made, tmp_path: Path
) -> None:
    service = tmp_path / "all" / "services" / "orders"
    service.parent.mkdir(parents=True)
    shutil.copytree(rendering(OLDER), service)
    as_a_team_does(service)
    commit(tmp_path / "all")
    must_update(service)
    changed = git(tmp_path / "all", "status", "--porcelain").splitlines()
    assert {line[3:].split("/")[0] for line in changed} == {"services"}
    assert contents(service) == edited(rendering(NEWER), as_a_team_does, tmp_path / "edited")


@pytest.mark.slow
def test_an_edited_service_passes_its_checks_and_its_own_tests_after_an_update(
    owned: Made,
) -> None:
    service = owned(OLDER, as_a_team_does)
    must_make(service, "setup")
    commit(service)
    before = (service / "uv.lock").read_bytes()
    assert "could not be resolved" not in must_update(service)
    assert (service / "uv.lock").read_bytes() != before
    commit(service)
    must_make(service, "setup", "check", "test")
    # The history holds `.cruft.json` now, and no secret.
    codebase = "tests/twelve_factor/test_i_codebase.py"
    must_run(service, UV, "run", "--quiet", "pytest", "--quiet", codebase)
