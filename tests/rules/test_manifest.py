"""cookiecutter.json is complete and agrees with the files and the README."""

import re
from itertools import product

import pytest

from tests.support.template import (
    DECLARED,
    DERIVED,
    FEATURES,
    FIRST,
    OPTIONS,
    QUESTIONS,
    REQUIREMENTS,
    ROOT,
    SERVICE,
    chosen,
    expected_files,
    files_of,
    with_derived,
    within,
)
from tools import copier_config


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_and_choice_has_a_prompt(question: str) -> None:
    prompt = DECLARED["__prompts__"][question]
    if isinstance(QUESTIONS[question], list):
        assert prompt.keys() == {"__prompt__", *QUESTIONS[question]}
        assert all(prompt.values())
    else:
        assert prompt


def test_every_prompt_belongs_to_a_question() -> None:
    assert DECLARED["__prompts__"].keys() == QUESTIONS.keys()


@pytest.mark.parametrize("feature", [*FEATURES, *REQUIREMENTS])
def test_every_feature_is_a_possible_answer(feature: str) -> None:
    found = re.fullmatch(r"(\w+?)(?:!?=([\w-]+))?", feature)
    assert found
    question, value = found.groups()
    assert question in (OPTIONS if value else OPTIONS | DERIVED)
    assert not value or value in OPTIONS[question]


@pytest.mark.parametrize(
    ("feature", "pattern"),
    [(f, pattern) for f, patterns in FEATURES.items() for pattern in patterns],
)
def test_every_pattern_of_a_feature_matches_a_file(feature: str, pattern: str) -> None:
    assert any(within(path, pattern) for path in files_of(SERVICE)), feature


def test_no_feature_lists_a_file_twice() -> None:
    for feature, patterns in FEATURES.items():
        for path in files_of(SERVICE):
            found = [pattern for pattern in patterns if within(path, pattern)]
            assert len(found) <= 1, f"{feature}: {path}: {found}"


def test_a_render_without_features_has_fewer_files() -> None:
    leanest = FIRST | {"database": "none", "ci": "none", "package_name": "p"}
    assert expected_files(leanest) < expected_files(FIRST | {"package_name": "p"})


def test_a_feature_is_an_answer_or_its_negation() -> None:
    answers = {"redis": True, "database": "none"}
    assert chosen("redis", answers)
    assert chosen("database=none", answers)
    assert not chosen("database!=none", answers)


@pytest.mark.parametrize(
    "name", [name for name in DERIVED if name in FEATURES and name != "__copier"]
)
def test_a_derived_answer_is_yes_or_empty_and_can_be_both(name: str) -> None:
    named = {each: OPTIONS[each] for each in OPTIONS if f"cookiecutter.{each} " in DERIVED[name]}
    values = [value if isinstance(value, list) else [False, True] for value in named.values()]
    choices = [dict(zip(named, given, strict=True)) for given in product(*values)]
    assert {with_derived(FIRST | choice)[name] for choice in choices} == {"yes", ""}


def test_the_readme_lists_all_questions_and_their_values() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", readme, re.MULTILINE)
    listed = {name: re.findall("`(.*?)`", values) for name, values in rows}
    assert list(listed) == list(QUESTIONS)
    for name, values in OPTIONS.items():
        assert listed[name] == (values if isinstance(values, list) else ["no", "yes"])


@pytest.mark.parametrize(
    "folder", ["chaos", "dev", "tests", "migrations", "src", "compose", "deploy"]
)
def test_folders_of_a_service_are_reserved_package_names(folder: str) -> None:
    assert folder in DECLARED["_reserved"]


def test_copier_yml_is_generated_from_cookiecutter_json() -> None:
    assert copier_config.FILE.read_text(encoding="utf-8") == copier_config.text(), "make copier"
