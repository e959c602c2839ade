"""An update that is not needed, or not possible, changes nothing and says why."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.template_releases import (
    NEWER,
    OLDER,
    commit,
    contents,
    git,
    replace,
)
from tests.support.updates import Made, make_update, must_update, nothing, state

pytestmark = pytest.mark.minutes


def test_a_service_of_the_newest_release_has_nothing_to_do(owned: Made) -> None:
    service = owned(NEWER, nothing)
    assert must_update(service) == f"Nothing to do: this is made from {NEWER}, the newest.\n"
    assert git(service, "status", "--porcelain") == ""


def test_what_follows_the_newest_release_is_not_taken_back(
    template_repository: Path, owned: Made, tmp_path: Path
) -> None:
    ahead = shutil.copytree(template_repository, tmp_path / "ahead")
    replace(ahead / "CHANGELOG.md", "# Changelog", "# Changes")
    commit(ahead)
    service = owned(NEWER, nothing)
    replace(service / ".cruft.json", str(template_repository), str(ahead))
    replace(service / ".cruft.json", state(service)["commit"], git(ahead, "rev-parse", "HEAD")[:-1])
    commit(service)
    assert re.match(rf"Nothing to do: this is made from {NEWER}-1-g\w+, the", must_update(service))


def test_changes_that_are_not_committed_are_not_touched(owned: Made) -> None:
    service = owned(OLDER, nothing)
    replace(service / "Makefile", "Stop the containers", "Stop them")
    before = contents(service)
    done = make_update(service)
    assert done.returncode != 0
    assert done.stderr.startswith("make update: commit your changes first")
    assert contents(service) == before


def test_a_service_that_knows_no_template_is_told_how_to_link_it(owned: Made) -> None:
    service = owned(OLDER, lambda folder: (folder / ".cruft.json").unlink())
    said = must_update(service)
    assert said.count("\n") == 1
    assert "uvx cruft link" in said


def test_an_answer_to_no_question_is_refused(owned: Made) -> None:
    done = make_update(owned(NEWER, nothing), reddis=True)
    assert done.returncode != 0
    assert done.stderr.startswith("make update: there is no question reddis\n")


def test_answers_that_the_template_refuses_change_nothing(owned: Made) -> None:
    service = owned(NEWER, nothing)
    done = make_update(service, package_name="import")
    assert done.returncode != 0
    assert "package_name: 'import' is a keyword of Python" in done.stderr
    assert git(service, "status", "--porcelain") == ""
