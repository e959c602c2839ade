"""Copier asks the same questions as Cookiecutter and rejects the same answers."""

import re
import runpy
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.support.copier_render import render_by_copier
from tests.support.hostile_answers import PLAIN, Case, cases
from tests.support.template import DECLARED, FIRST, OPTIONS, ROOT, with_derived

HOOK = runpy.run_path(str(ROOT / "hooks" / "pre_gen_project.py"), run_name="hook")


def reasons(case: Case) -> tuple[str, ...]:
    """Return the hook's reasons to reject one answer."""
    settings = {name: DECLARED[name] for name in DECLARED if re.match("_[a-z]", name)}
    return tuple(HOOK["reasons"](case.question, case.answer, settings))


def question_and_reasons(case: Case) -> tuple[str, tuple[str, ...]]:
    return case.question, reasons(case)


TEXTS = [case for case in cases("rejected") if case.question not in OPTIONS]
ONE_BY_REASONS = [
    next(same)
    for _, same in groupby(sorted(TEXTS, key=question_and_reasons), key=question_and_reasons)
]


@pytest.mark.parametrize(
    "case", ONE_BY_REASONS, ids=lambda case: f"{case.question}-{case.category}"
)
def test_an_answer_is_rejected_for_the_same_reasons(case: Case, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^Validation error for question '{case.question}'") as e:
        render_by_copier(tmp_path / "service", PLAIN | {case.question: case.answer})
    lines = [line.strip() for line in str(e.value).partition(": ")[2].splitlines()]
    assert [line for line in lines if line] == [f"{case.question}: {r}" for r in reasons(case)]
    assert not (tmp_path / "service").exists()


@pytest.mark.parametrize("feature", DECLARED["_requires"])
def test_a_feature_is_rejected_without_the_features_it_needs(feature: str, tmp_path: Path) -> None:
    question, _, value = feature.partition("=")
    chosen = {question: value or True}
    answers: dict[str, Any] = PLAIN | chosen | {"database": "none", "ci": "none"}
    reason, *_ = HOOK["unmet_requirements"](with_derived(FIRST | answers) | DECLARED | answers)
    with pytest.raises(ValueError, match=reason.partition(",")[0]):
        render_by_copier(tmp_path / "service", answers)


def test_a_name_derived_from_another_answer_is_checked_as_well(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="package_name: must not be a keyword"):
        render_by_copier(tmp_path / "service", {"project_name": "Class"})
