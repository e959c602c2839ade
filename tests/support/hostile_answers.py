"""The answers of `hostile_answers.toml` for the questions that they apply to."""

import tomllib
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from .parsed_files import filled_in
from .template import FIRST, OPTIONS, QUESTIONS

CORPUS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
NAMES = {"project_slug", "package_name", "author_email"}
"""Text questions with a restricted format; the others are free text."""
FREE_TEXTS = [
    question for question in QUESTIONS if question not in NAMES and question not in OPTIONS
]
PLAIN = {"project_slug": "service", "package_name": "package"}
"""Answers given with a hostile text, so that no name is derived from it."""
MARKERS = {
    **{question: f"marker of {question}" for question in FREE_TEXTS},
    "project_slug": "slug-marker",
    "package_name": "package_marker",
    "author_email": "email@marker.example",
}
"""Answers that can be recognized in rendered files."""


class Case(NamedTuple):
    """An answer to a question, in a category of the corpus."""

    question: str
    answer: str
    category: str


def cases(verdict: str) -> list[Case]:
    """Return all answers that must be `accepted`, or `rejected`."""
    return [
        Case(question, answer, category)
        for about, categories in CORPUS[verdict].items()
        for category, answers in categories.items()
        for answer in answers
        for question in {"text": FREE_TEXTS, "choice": list(OPTIONS)}.get(about, [about])
    ]


def together(chosen: list[Case]) -> list[dict[str, str]]:
    """Combine the cases into as few sets of answers as possible, one per question.

    The answers of a set come from different places of the corpus.
    """
    chosen = sorted(chosen, key=lambda case: case.question)
    rows = [list(of_one) for _, of_one in groupby(chosen, key=lambda case: case.question)]
    shifted = [row[shift:] + row[:shift] for shift, row in enumerate(rows)]
    return [
        {row[number].question: row[number].answer for row in shifted if number < len(row)}
        for number in range(max(map(len, shifted), default=0))
    ]


def with_answers(content: dict[str, Any], answers: Mapping[str, Any]) -> Any:
    """Replace the markers in the content of files by these and plain answers."""
    return filled_in(content, {**FIRST, **PLAIN, **answers}, MARKERS)
