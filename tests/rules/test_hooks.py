"""Answers that cannot work are refused, all at once, with reasons, and nothing is left behind."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.baking import BakeError, Baker
from tests.support.template import FIRST, REQUIREMENTS, ROOT, SERVICE, unmet
from tests.support.variants import combinations


@pytest.mark.parametrize("slug", ["", ".", ".."])
def test_a_slug_that_names_a_folder_that_is_there_is_refused(baker: Baker, slug: str) -> None:
    with pytest.raises(BakeError, match="already exists"):
        baker.bake(project_slug=slug)


def test_all_reasons_are_given_at_once(baker: Baker) -> None:
    with pytest.raises(BakeError) as caught:
        baker.bake(project_slug="My Service", package_name="import", author_email="x")
    reasons = {line.partition(":")[0] for line in str(caught.value).splitlines()}
    assert reasons >= {"project_slug", "package_name", "author_email"}


def test_an_answer_to_no_question_is_an_error_of_the_test(baker: Baker) -> None:
    with pytest.raises(ValueError, match="no such question: databse"):
        baker.bake(databse="none")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A copy of the template that a test may break."""
    copy = tmp_path / "template"
    copy.mkdir()
    for part in ("cookiecutter.json", "hooks", "templates", SERVICE.name):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
    return copy


def declare(template: Path, **changes: object) -> None:
    path = template / "cookiecutter.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_pattern_that_matches_nothing_fails_the_render(baker: Baker, template: Path) -> None:
    declare(template, _features={"database=none": ["no/such/file"]})
    with pytest.raises(BakeError, match=r"database=none: no/such/file"):
        baker.bake(template)


def test_a_feature_without_what_it_needs_is_refused(baker: Baker, template: Path) -> None:
    declare(template, _requires={"ci=github": ["database=postgresql"]})
    with pytest.raises(BakeError, match=r"ci=github: needs database=postgresql"):
        baker.bake(template, database="none")
    assert baker.bake(template, database="none", ci="none").is_dir()


IMPOSSIBLE = combinations(allowed=False)


@pytest.mark.parametrize("variant", IMPOSSIBLE)
def test_answers_that_cannot_work_together_are_refused_with_those_that_would(
    baker: Baker, variant: str
) -> None:
    with pytest.raises(BakeError) as refusal:
        baker.bake(**IMPOSSIBLE[variant])
    (feature,) = unmet(FIRST | IMPOSSIBLE[variant])
    assert str(refusal.value).startswith(f"{feature}: needs {REQUIREMENTS[feature][0]}, not ")


def test_a_file_of_two_features_needs_both(baker: Baker, template: Path) -> None:
    declare(template, _features={"ci=github": ["Makefile"], "license=MIT": ["Makefile", "LICENSE"]})
    assert (baker.bake(template) / "Makefile").exists()
    assert not (baker.bake(template, ci="none") / "Makefile").exists()
    other = baker.bake(template, license="Proprietary")
    assert not (other / "Makefile").exists()
    assert not (other / "LICENSE").exists()
