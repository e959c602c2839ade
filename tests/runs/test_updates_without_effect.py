"""An update that is not needed, or not possible, changes nothing and gives the reason."""

import pytest

from tests.support.template_releases import COPIER, NEWER, OLDER, STATE, contents, git, replace
from tests.support.updates import Renders, make_update, must_update, nothing

pytestmark = pytest.mark.minutes


def test_a_service_of_the_newest_release_stays_as_it_is(owned: Renders) -> None:
    service = owned(NEWER, nothing)
    assert f"Keeping template version {NEWER}" in must_update(service)
    assert git(service, "status", "--porcelain") == ""


def test_uncommitted_changes_are_not_touched(owned: Renders) -> None:
    service = owned(OLDER, nothing)
    replace(service / "Makefile", "Stop the containers", "Stop them")
    before = contents(service)
    done = make_update(service)
    assert done.returncode != 0
    assert "dirty" in done.stderr
    assert contents(service) == before


def test_a_service_without_recorded_answers_cannot_be_updated(owned: Renders) -> None:
    service = owned(OLDER, lambda folder: (folder / STATE[COPIER]).unlink())
    done = make_update(service)
    assert done.returncode != 0
    assert done.stderr.startswith("make update: there is no .copier-answers.yml")
    assert git(service, "status", "--porcelain") == ""


def test_rejected_answers_change_nothing(owned: Renders) -> None:
    service = owned(NEWER, nothing)
    done = make_update(service, "--data package_name=import")
    assert done.returncode != 0
    assert "package_name: must not be a keyword or a standard module of Python" in done.stderr
    assert git(service, "status", "--porcelain") == ""
