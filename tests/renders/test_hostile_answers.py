"""Hostile answers arrive as they were given, or are refused by name, and nothing is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.answer_sources import CHANNELS, command_line, render
from tests.support.baking import BakeError
from tests.support.hostile_answers import FREE_TEXTS, PLAIN, cases, together, with_answers
from tests.support.parsed_files import meanings
from tests.support.small_template import Slim
from tests.support.template import OPTIONS, ROOT

RENDERED_BY_COOKIECUTTER = {"command_line", "user_configuration"}
ACCEPTED = together(cases("accepted"))
REFUSED = [
    (channel, answers)
    for channel in CHANNELS
    for answers in together(
        [
            case
            for case in cases("refused")
            if case.question not in OPTIONS
            and not (case.kind == "jinja" and channel in RENDERED_BY_COOKIECUTTER)
        ]
    )
]
WRONG_CHOICES = together([case for case in cases("refused") if case.question in OPTIONS])


@pytest.mark.parametrize("answers", ACCEPTED, ids=ascii)
@pytest.mark.parametrize("channel", CHANNELS)
def test_an_accepted_answer_is_equal_in_every_file(
    slim: Slim, tmp_path: Path, channel: str, answers: dict[str, str]
) -> None:
    before = set(tmp_path.rglob("*"))
    service = slim.render(channel, PLAIN | answers)
    assert meanings(service) == slim.expected(answers)
    assert set(tmp_path.rglob("*")) == before | {service, *service.rglob("*")}


@pytest.mark.parametrize("answers", ACCEPTED[::8], ids=ascii)
def test_no_other_file_changes_for_it(
    marked: Path, own: Path, output: Path, answers: dict[str, str]
) -> None:
    service = render(ROOT, output, command_line(ROOT, own, PLAIN | answers))
    assert meanings(service) == with_answers(meanings(marked), answers)


@pytest.mark.parametrize(("channel", "answers"), REFUSED, ids=ascii)
def test_a_refused_answer_is_named_and_nothing_is_written(
    slim: Slim, refuses: Callable[..., None], channel: str, answers: dict[str, str]
) -> None:
    refuses(set(answers), slim.render, channel, PLAIN | answers)


@pytest.mark.parametrize("answers", WRONG_CHOICES, ids=ascii)
def test_a_choice_that_is_not_offered_is_refused(
    slim: Slim, refuses: Callable[..., None], answers: dict[str, str]
) -> None:
    refuses(set(answers), slim.render, "replay_file", PLAIN | answers)
    for question, answer in answers.items():
        with pytest.raises(BakeError, match=f"provided for (choice )?variable {question}"):
            slim.render("command_line", {question: answer})
    assert not list(slim.output.iterdir())


@pytest.mark.parametrize("question", OPTIONS)
def test_a_configuration_with_a_choice_that_is_not_offered_is_ignored_with_a_warning(
    slim: Slim, question: str
) -> None:
    with pytest.warns(UserWarning, match=f"nonsense provided for (choice )?variable {question}"):
        service = slim.render("user_configuration", {question: "nonsense"})
    default = {"project_slug": "order-service", "package_name": "order_service"}
    assert meanings(service) == slim.expected(default)


@pytest.mark.parametrize("answer", [None, 5, ["text"], {"a": "b"}, True], ids=str)
def test_what_is_no_text_is_refused(
    slim: Slim, refuses: Callable[..., None], answer: object
) -> None:
    answers = dict.fromkeys(FREE_TEXTS, answer)
    refuses(set(FREE_TEXTS), slim.render, "replay_file", PLAIN | answers)
