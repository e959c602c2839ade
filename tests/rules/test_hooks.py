"""The hooks: invalid answers are rejected together, and unchosen files are deleted."""

import ast
import json
import re
import runpy
import sys
from pathlib import Path

import cookiecutter
import pytest

from tests.support.baking import BakeError, Baker
from tests.support.template import (
    DECLARED,
    FIRST,
    REQUIREMENTS,
    ROOT,
    copy_rendered_parts,
    unmet,
)
from tests.support.variants import deciding, every, given, identity


@pytest.mark.parametrize("slug", ["", ".", ".."])
def test_a_slug_that_names_an_existing_folder_is_rejected(baker: Baker, slug: str) -> None:
    with pytest.raises(BakeError, match="already exists"):
        baker.bake(project_slug=slug)


def test_all_invalid_answers_are_reported_at_once(baker: Baker) -> None:
    with pytest.raises(BakeError) as caught:
        baker.bake(project_slug="My Service", package_name="import", author_email="x")
    reasons = {line.partition(":")[0] for line in str(caught.value).splitlines()}
    assert reasons >= {"project_slug", "package_name", "author_email"}


def test_the_baker_rejects_unknown_questions(baker: Baker) -> None:
    with pytest.raises(ValueError, match="unknown questions: databse"):
        baker.bake(databse="none")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return copy_rendered_parts(tmp_path / "template")


def declare(template: Path, **changes: object) -> None:
    path = template / "cookiecutter.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_pattern_that_matches_nothing_fails_the_render(baker: Baker, template: Path) -> None:
    declare(template, _features={"database=none": ["no/such/file"]})
    with pytest.raises(BakeError, match=r"database=none: no/such/file"):
        baker.bake(template)


def test_a_feature_without_its_requirement_is_rejected(baker: Baker, template: Path) -> None:
    declare(template, _requires={"ci=github": ["database=postgresql"]})
    with pytest.raises(BakeError, match=r"ci=github: needs database=postgresql"):
        baker.bake(template, database="none")
    assert baker.bake(template, database="none", ci="none").is_dir()


IMPOSSIBLE = {
    identity(row): given(row)
    for row in every(*deciding("compose/"), allowed=False)
    if len(unmet(FIRST | row)) == 1
}


@pytest.mark.parametrize("variant", IMPOSSIBLE)
def test_incompatible_answers_are_rejected_and_the_message_names_a_compatible_one(
    baker: Baker, variant: str
) -> None:
    with pytest.raises(BakeError) as rejection:
        baker.bake(**IMPOSSIBLE[variant])
    (feature,) = unmet(FIRST | IMPOSSIBLE[variant])
    assert str(rejection.value).startswith(f"{feature}: needs {REQUIREMENTS[feature][0]}, not ")


def test_a_file_of_two_features_requires_both(baker: Baker, template: Path) -> None:
    declare(template, _features={"ci=github": ["Makefile"], "license=MIT": ["Makefile", "LICENSE"]})
    assert (baker.bake(template) / "Makefile").exists()
    assert not (baker.bake(template, ci="none") / "Makefile").exists()
    other = baker.bake(template, license="Proprietary")
    assert not (other / "Makefile").exists()
    assert not (other / "LICENSE").exists()


HOOK = ROOT / "hooks" / "pre_gen_project.py"


@pytest.mark.parametrize(
    ("python", "version", "message"),
    [
        ((3, 7), "2.6.0", "Python 3.8 or newer is needed, not 3.7: use uvx cookiecutter"),
        ((3, 9), "1.7.3", "Cookiecutter 2.3 or newer is needed, not 1.7: use uvx cookiecutter"),
        ((3, 8), "2.3.0", ""),
    ],
)
def test_an_old_python_or_cookiecutter_is_named_instead_of_other_reasons(
    monkeypatch: pytest.MonkeyPatch, python: tuple[int, int], version: str, message: str
) -> None:
    outdated = runpy.run_path(str(HOOK), run_name="hook")["outdated"]
    monkeypatch.setattr(sys, "version_info", python)
    monkeypatch.setattr(cookiecutter, "__version__", version)
    assert outdated() == message


def test_old_versions_get_as_far_as_the_hook_that_names_them() -> None:
    ast.parse(HOOK.read_text(), feature_version=(3, 7))
    # Cookiecutter 1 renders private variables as well, without the settings of Jinja in them.
    texts = json.dumps({name: DECLARED[name] for name in DECLARED if re.match("_[a-z]", name)})
    assert not re.search("{[{%#]", texts)
