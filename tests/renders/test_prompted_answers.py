"""Prompts and whole processes do with hostile answers what the quicker tests do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.answer_sources import CHANNELS, render
from tests.support.baking import BakeError
from tests.support.hostile_answers import PLAIN, cases, together
from tests.support.parsed_files import meanings
from tests.support.small_template import Slim
from tests.support.template import DECLARED, OPTIONS

ACCEPTED = together(cases("accepted"))
TYPED = [
    case
    for case in cases("refused")
    # A line feed ends an answer, none stands for the default, a terminal's line ends at a null.
    if case.question not in OPTIONS
    and case.answer
    and not set(case.answer) & {"\n", "\0"}
    # What is typed is stripped before anybody sees it.
    and (case.answer == case.answer.strip() or case.kind == "empty")
]


@pytest.mark.parametrize("answers", ACCEPTED[::8], ids=ascii)
def test_what_is_typed_at_a_prompt_is_equal_in_every_file(
    slim: Slim, answers: dict[str, str]
) -> None:
    assert meanings(slim.ask(PLAIN | answers)) == slim.expected(answers)


@pytest.mark.parametrize("answers", together(TYPED)[::5], ids=ascii)
def test_what_is_typed_at_a_prompt_is_refused_by_name(
    slim: Slim, refuses: Callable[..., None], answers: dict[str, str]
) -> None:
    refuses(set(answers), slim.ask, PLAIN | answers)


def test_a_prompt_strips_blanks_and_takes_its_default_for_nothing(slim: Slim) -> None:
    service = slim.ask(PLAIN | {"project_name": "  padded \t", "description": ""})
    assert meanings(service) == slim.expected({"project_name": "padded"})


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_process_does_what_the_quicker_tests_do(
    slim: Slim, refuses: Callable[..., None], channel: str
) -> None:
    for answers in ACCEPTED[::20]:
        service = slim.run(channel, PLAIN | answers)
        assert meanings(service) == slim.expected(answers)
        shutil.rmtree(service)
    for answers in together([case for case in TYPED if case.kind != "jinja"])[::20]:
        refuses(set(answers), slim.run, channel, PLAIN | answers)


@pytest.mark.parametrize("channel", CHANNELS)
def test_jinja_in_an_answer_is_rendered_by_cookiecutter_unless_it_is_replayed(
    slim: Slim, channel: str
) -> None:
    """`SECURITY.md` says so, and what to do about it."""
    answers = PLAIN | {"project_name": "{{ 7*7 }}"}
    if channel == "replay_file":
        with pytest.raises(BakeError, match="project_name: must not contain"):
            slim.render(channel, answers)
    else:
        assert (slim.render(channel, answers) / "README.md").read_text().startswith("# 49\n")


NAMES = {
    "O'Brien's \"best\" Service": "o-brien-s-best-service",
    "Ünïcödé 服务": "unicode-fu-wu",
    "🚀": "service",
    f"{'long ' * 19}name": "long-long-long-long-long-long",
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_alone_makes_a_slug_and_a_package(slim: Slim, name: str) -> None:
    service = slim.render("command_line", {"project_name": name})
    assert service.name == NAMES[name]
    assert (service / "README.md").read_text().startswith(f"# {name}\n")


@pytest.mark.parametrize("slug", ["import", "json"])
def test_a_slug_that_cannot_name_a_package_is_refused(
    slim: Slim, refuses: Callable[..., None], slug: str
) -> None:
    refuses({"package_name"}, slim.render, "command_line", {"project_slug": slug})


@pytest.mark.parametrize("slug", ["escape", "new/escape"])
def test_a_slug_that_is_a_path_from_the_root_is_refused(
    slim: Slim, tmp_path: Path, refuses: Callable[..., None], slug: str
) -> None:
    answers = PLAIN | {"project_slug": str(tmp_path / slug)}
    refuses({"project_slug"}, slim.render, "command_line", answers)


def test_a_replay_file_that_was_edited_in_part_is_refused(
    slim: Slim, refuses: Callable[..., None]
) -> None:
    arguments = slim.arguments("replay_file", PLAIN)
    path = Path(arguments[-1])
    kept = json.loads(path.read_text())
    kept["cookiecutter"]["description"] = "Another."
    path.write_text(json.dumps(kept))
    refuses({"description"}, render, slim.template, slim.output, arguments)


def test_a_replay_file_cannot_make_the_hooks_delete_what_lies_outside(slim: Slim) -> None:
    kept = slim.output.parent / "kept"
    kept.touch()
    answers = PLAIN | {"_features": {"database=none": ["../../kept"]}}
    with pytest.raises(BakeError, match=r"these match no file: database=none: \.\./\.\./kept"):
        slim.render("replay_file", answers)
    assert kept.exists()


def test_the_choices_are_declared_for_the_hook_as_they_are_offered() -> None:
    offered = {name: values or [False, True] for name, values in OPTIONS.items()}
    assert DECLARED["_choices"] == offered
