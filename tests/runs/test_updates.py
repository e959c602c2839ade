"""A newer release, or a changed answer, is merged into a service that a team has edited."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.template import FIRST, OPTIONS, REQUIREMENTS, SERVICE, chosen
from tests.support.template_releases import (
    ADDED,
    COPIER,
    CRUFT,
    ENGINES,
    NEWER,
    OLDER,
    REMOVED,
    STATE,
    commit,
    contents,
    copy_files,
    git,
    replace,
)
from tests.support.template_releases import engine as run_engine
from tests.support.updates import (
    Renders,
    conflicts,
    edited,
    make_update,
    must_make,
    must_run,
    must_update,
    nothing,
    typical_edits,
    without_the_example,
)
from tests.support.variants import VALUES, deciding
from tools.pythons import ROOT, UV

pytestmark = pytest.mark.minutes


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("edit", [nothing, typical_edits, without_the_example])
def test_an_update_changes_everything_but_the_edited_lines(
    edit: Callable[[Path], None], engine: str, owned: Renders, rendering: Renders, tmp_path: Path
) -> None:
    service, newer = owned(OLDER, edit, engine), rendering(NEWER, engine)
    must_update(service)
    assert conflicts(service) == []
    assert contents(service) == edited(newer, edit, tmp_path / "edited")


def test_the_older_release_differs_in_files_lines_and_declarations(rendering: Renders) -> None:
    older, newer = contents(rendering(OLDER)), contents(rendering(NEWER))
    assert len(newer.keys() - older.keys()) == len(ADDED)
    assert older.keys() - newer.keys() == {REMOVED}
    assert sum(older[name] != newer[name] for name in older.keys() & newer.keys()) > 7


@pytest.mark.parametrize("engine", ENGINES)
def test_a_line_that_both_sides_changed_is_the_only_conflict(
    engine: str, owned: Renders, rendering: Renders
) -> None:
    def edit(service: Path) -> None:
        (line,) = re.findall('"fastapi>.*', (service / "pyproject.toml").read_text())
        replace(service / "pyproject.toml", line, '"fastapi==0.9",')

    service, newer = owned(OLDER, edit, engine), contents(rendering(NEWER, engine))
    make_update(service)
    assert conflicts(service) == ["pyproject.toml"]
    now = contents(service)
    merged = now.pop("pyproject.toml").decode()
    theirs = re.sub(r"<<<<<<< .*\n(?:.*\n)=======\n(.*\n)>>>>>>> .*\n", r"\1", merged)
    assert theirs.encode() == newer.pop("pyproject.toml")
    assert now == newer


def with_needs(feature: str) -> dict[str, Any]:
    """Return the answers that choose a feature and those that it needs."""
    option, _, value = feature.partition("=")
    needs = [need for need in REQUIREMENTS.get(feature, []) if not chosen(need, FIRST)]
    return dict(item for need in needs for item in with_needs(need).items()) | {
        option: value or True
    }


SWITCHES = {
    option: with_needs(option if values[-1] is True else f"{option}={values[-1]}")
    | {option: values[-1]}
    for option, values in VALUES.items()
    if option in OPTIONS and len(values) > 1
}
"""Another answer to each question that has several, with the options that it needs."""
CODED = deciding("src/")
"""Options that change code; the others are slow tests, since each takes as long."""


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(answer, id=option, marks=[] if option in CODED else [pytest.mark.slow])
        for option, answer in SWITCHES.items()
    ],
)
def test_an_answer_can_be_changed_and_changed_back(
    answers: dict[str, Any], owned: Renders, rendering: Renders, tmp_path: Path
) -> None:
    # A worker's settings come next to the one that the team has added.
    edit = nothing if answers.keys() & {"database", "worker"} else typical_edits
    service = owned(NEWER, edit)
    before, license_text = contents(service), (service / "LICENSE").read_bytes()

    must_update(service, *(f"--data {name}={answer}" for name, answer in answers.items()))
    assert conflicts(service) == []
    changed = edited(rendering(NEWER, **answers), edit, tmp_path / "edited")
    assert contents(service) == changed | {"LICENSE": license_text}
    if all(answer is True for answer in answers.values()):
        commit(service)
        must_update(service, *(f"--data {name}=false" for name in answers))
        assert conflicts(service) == []
        assert contents(service) == before


def test_a_service_in_a_folder_of_its_repository_is_updated_there(
    rendering: Renders, tmp_path: Path
) -> None:
    service = tmp_path / "all" / "services" / "orders"
    service.parent.mkdir(parents=True)
    shutil.copytree(rendering(OLDER), service)
    typical_edits(service)
    commit(tmp_path / "all")
    must_update(service)
    changed = git(tmp_path / "all", "status", "--porcelain").splitlines()
    assert {line[3:].split("/")[0] for line in changed} == {"services"}
    assert contents(service) == edited(rendering(NEWER), typical_edits, tmp_path / "edited")


def test_a_service_made_by_cruft_continues_with_copier(
    owned: Renders, rendering: Renders, tmp_path: Path
) -> None:
    service = owned(OLDER, typical_edits, CRUFT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"```sh\n(jq .*?)```", readme, re.DOTALL)
    must_run(service, "bash", "-ec", command)
    assert not (service / STATE[CRUFT]).exists()
    commit(service)
    must_update(service)
    assert conflicts(service) == []
    assert contents(service) == edited(rendering(NEWER), typical_edits, tmp_path / "edited")
    assert f"_commit: {NEWER}\n" in (service / STATE[COPIER]).read_text()


def test_cruft_updates_from_a_template_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    company = tmp_path / "company"
    template = company / "service"
    template.mkdir(parents=True)
    copy_files(template)
    commit(company)
    options = ("--no-input", "--default-config", "--directory", "service")
    run_engine(CRUFT, tmp_path, "create", str(company), *options)
    service = tmp_path / "order-service"
    commit(service)
    replace(template / SERVICE.name / ".env.example", "HSTS_SECONDS=0\n", "HSTS_SECONDS=1\n")
    commit(company)
    must_update(service)
    assert "HSTS_SECONDS=1\n" in (service / ".env.example").read_text()


@pytest.mark.slow
def test_an_edited_service_passes_its_checks_and_tests_after_an_update(owned: Renders) -> None:
    service = owned(OLDER, typical_edits)
    must_make(service, "setup")
    commit(service)
    before = (service / "uv.lock").read_bytes()
    must_update(service)
    assert (service / "uv.lock").read_bytes() != before
    commit(service)
    must_make(service, "setup", "check", "test")
    # The history holds the answers now, and must hold no secret.
    codebase = "tests/twelve_factor/test_i_codebase.py"
    must_run(service, UV, "run", "--quiet", "pytest", "--quiet", codebase)
