"""Hostile answers are rendered unchanged, or rejected by name with nothing written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.answer_sources import CHANNELS, command_line, render
from tests.support.baking import BakeError
from tests.support.hostile_answers import FREE_TEXTS, PLAIN, cases, together, with_answers
from tests.support.parsed_files import contents
from tests.support.small_template import SmallTemplate
from tests.support.template import OPTIONS, ROOT

COOKIECUTTER_RENDERS = {"command_line", "user_configuration"}
ACCEPTED = together(cases("accepted"))
REJECTED = [
    (channel, answers)
    for channel in CHANNELS
    for answers in together(
        [
            case
            for case in cases("rejected")
            if case.question not in OPTIONS
            and not (case.category == "jinja" and channel in COOKIECUTTER_RENDERS)
        ]
    )
]
WRONG_CHOICES = together([case for case in cases("rejected") if case.question in OPTIONS])


@pytest.mark.parametrize("answers", ACCEPTED, ids=ascii)
@pytest.mark.parametrize("channel", CHANNELS)
def test_an_accepted_answer_is_rendered_unchanged(
    small: SmallTemplate, tmp_path: Path, channel: str, answers: dict[str, str]
) -> None:
    before = set(tmp_path.rglob("*"))
    service = small.render(channel, PLAIN | answers)
    assert contents(service) == small.expected(answers)
    assert set(tmp_path.rglob("*")) == before | {service, *service.rglob("*")}


@pytest.mark.parametrize("answers", ACCEPTED[::8], ids=ascii)
def test_an_accepted_answer_changes_only_the_files_that_hold_it(
    marked: Path, own: Path, output: Path, answers: dict[str, str]
) -> None:
    service = render(ROOT, output, command_line(ROOT, own, PLAIN | answers))
    assert contents(service) == with_answers(contents(marked), answers)


@pytest.mark.parametrize(("channel", "answers"), REJECTED, ids=ascii)
def test_a_rejected_answer_is_named_and_nothing_is_written(
    small: SmallTemplate,
    assert_rejected: Callable[..., None],
    channel: str,
    answers: dict[str, str],
) -> None:
    assert_rejected(set(answers), small.render, channel, PLAIN | answers)


@pytest.mark.parametrize("answers", WRONG_CHOICES, ids=ascii)
def test_an_unknown_choice_is_rejected(
    small: SmallTemplate, assert_rejected: Callable[..., None], answers: dict[str, str]
) -> None:
    assert_rejected(set(answers), small.render, "replay_file", PLAIN | answers)
    for question, answer in answers.items():
        with pytest.raises(BakeError, match=f"provided for (choice )?variable {question}"):
            small.render("command_line", {question: answer})
    assert not list(small.output.iterdir())


@pytest.mark.parametrize("question", OPTIONS)
def test_an_unknown_choice_in_the_user_configuration_is_ignored_with_a_warning(
    small: SmallTemplate, question: str
) -> None:
    with pytest.warns(UserWarning, match=f"nonsense provided for (choice )?variable {question}"):
        service = small.render("user_configuration", {question: "nonsense"})
    default = {"project_slug": "order-service", "package_name": "order_service"}
    assert contents(service) == small.expected(default)


@pytest.mark.parametrize("answer", [None, 5, ["text"], {"a": "b"}, True], ids=str)
def test_an_answer_that_is_not_text_is_rejected(
    small: SmallTemplate, assert_rejected: Callable[..., None], answer: object
) -> None:
    answers = dict.fromkeys(FREE_TEXTS, answer)
    assert_rejected(set(FREE_TEXTS), small.render, "replay_file", PLAIN | answers)
