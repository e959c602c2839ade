"""Hostile answers at prompts and in whole processes, and names that are derived from answers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.answer_sources import CHANNELS, render
from tests.support.baking import BakeError
from tests.support.hostile_answers import PLAIN, cases, together
from tests.support.parsed_files import contents
from tests.support.small_template import SmallTemplate
from tests.support.template import DECLARED, OPTIONS

ACCEPTED = together(cases("accepted"))
TYPED = [
    case
    for case in cases("rejected")
    # At a terminal, a line feed ends an answer, an empty one is the default, NUL ends the line.
    if case.question not in OPTIONS
    and case.answer
    and not set(case.answer) & {"\n", "\0"}
    # Cookiecutter strips what is typed.
    and (case.answer == case.answer.strip() or case.category == "empty")
]


@pytest.mark.parametrize("answers", ACCEPTED[::8], ids=ascii)
def test_an_accepted_answer_at_a_prompt_is_rendered_unchanged(
    small: SmallTemplate, answers: dict[str, str]
) -> None:
    assert contents(small.type_answers(PLAIN | answers)) == small.expected(answers)


@pytest.mark.parametrize("answers", together(TYPED)[::5], ids=ascii)
def test_a_rejected_answer_at_a_prompt_is_named(
    small: SmallTemplate, assert_rejected: Callable[..., None], answers: dict[str, str]
) -> None:
    assert_rejected(set(answers), small.type_answers, PLAIN | answers)


def test_a_prompt_strips_blanks_and_has_a_default(
    small: SmallTemplate,
) -> None:
    service = small.type_answers(PLAIN | {"project_name": "  padded \t", "description": ""})
    assert contents(service) == small.expected({"project_name": "padded"})


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_separate_process_gives_the_same_result(
    small: SmallTemplate, assert_rejected: Callable[..., None], channel: str
) -> None:
    for answers in ACCEPTED[::20]:
        service = small.run(channel, PLAIN | answers)
        assert contents(service) == small.expected(answers)
        shutil.rmtree(service)
    for answers in together([case for case in TYPED if case.category != "jinja"])[::20]:
        assert_rejected(set(answers), small.run, channel, PLAIN | answers)


@pytest.mark.parametrize("channel", CHANNELS)
def test_cookiecutter_renders_jinja_in_answers_except_in_replay_files(
    small: SmallTemplate, channel: str
) -> None:
    """Documented in `SECURITY.md`."""
    answers = PLAIN | {"project_name": "{{ 7*7 }}"}
    if channel == "replay_file":
        with pytest.raises(BakeError, match="project_name: must not contain"):
            small.render(channel, answers)
    else:
        assert (small.render(channel, answers) / "README.md").read_text().startswith("# 49\n")


NAMES = {
    "O'Brien's \"best\" Service": "o-brien-s-best-service",
    "Ünïcödé 服务": "unicode-fu-wu",
    "🚀": "service",
    f"{'long ' * 19}name": "long-long-long-long-long-long",
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_slug_and_package_are_derived_from_the_name(small: SmallTemplate, name: str) -> None:
    service = small.render("command_line", {"project_name": name})
    assert service.name == NAMES[name]
    assert (service / "README.md").read_text().startswith(f"# {name}\n")


@pytest.mark.parametrize("slug", ["import", "json"])
def test_a_slug_that_is_not_a_valid_package_name_is_rejected(
    small: SmallTemplate, assert_rejected: Callable[..., None], slug: str
) -> None:
    assert_rejected({"package_name"}, small.render, "command_line", {"project_slug": slug})


@pytest.mark.parametrize("slug", ["escape", "new/escape"])
def test_a_slug_that_is_an_absolute_path_is_rejected(
    small: SmallTemplate, tmp_path: Path, assert_rejected: Callable[..., None], slug: str
) -> None:
    answers = PLAIN | {"project_slug": str(tmp_path / slug)}
    assert_rejected({"project_slug"}, small.render, "command_line", answers)


def test_an_inconsistently_edited_replay_file_is_rejected(
    small: SmallTemplate, assert_rejected: Callable[..., None]
) -> None:
    arguments = small.arguments("replay_file", PLAIN)
    path = Path(arguments[-1])
    replay = json.loads(path.read_text())
    replay["cookiecutter"]["description"] = "Another."
    path.write_text(json.dumps(replay))
    assert_rejected({"description"}, render, small.template, small.output, arguments)


def test_a_replay_file_cannot_make_the_hooks_delete_files_outside(
    small: SmallTemplate,
) -> None:
    kept = small.output.parent / "kept"
    kept.touch()
    answers = PLAIN | {"_features": {"database=none": ["../../kept"]}}
    with pytest.raises(BakeError, match=r"match no file: database=none: \.\./\.\./kept"):
        small.render("replay_file", answers)
    assert kept.exists()


def test_the_hook_knows_the_choices_of_all_questions() -> None:
    offered = {name: values or [False, True] for name, values in OPTIONS.items()}
    assert DECLARED["_choices"] == offered
