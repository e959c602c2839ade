"""The answers of `hostile_answers.toml`, for every question that they are meant for."""

import tomllib
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from .parsed_files import filled_in
from .template import FIRST, OPTIONS, QUESTIONS

CORPUS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
NAMES = {"project_slug", "package_name", "author_email"}
"""Questions with a check of their own; other texts are free."""
FREE_TEXTS = [
    question for question in QUESTIONS if question not in NAMES and question not in OPTIONS
]
PLAIN = {"project_slug": "service", "package_name": "package"}
"""What is answered beside a hostile text, so that no name is made of that."""
MARKERS = {
    **{question: f"marker of {question}" for question in FREE_TEXTS},
    "project_slug": "slug-marker",
    "package_name": "package_marker",
    "author_email": "email@marker.example",
}
"""Answers that can be found in what is rendered."""


class Case(NamedTuple):
    """An answer to a question, and of what kind it is."""

    question: str
    answer: str
    kind: str


def cases(verdict: str) -> list[Case]:
    """Return all answers that are to be `accepted`, or `refused`."""
    return [
        Case(question, answer, kind)
        for about, kinds in CORPUS[verdict].items()
        for kind, answers in kinds.items()
        for answer in answers
        for question in {"text": FREE_TEXTS, "choice": list(OPTIONS)}.get(about, [about])
    ]


def together(chosen: list[Case]) -> list[dict[str, str]]:
    """Give each case once, in as few sets of answers as hold one to each question at most.

    The answers of a set come from different places of the corpus.
    """
    chosen = sorted(chosen, key=lambda case: case.question)
    rows = [list(of_one) for _, of_one in groupby(chosen, key=lambda case: case.question)]
    shifted = [row[shift:] + row[:shift] for shift, row in enumerate(rows)]
    return [
        {row[number].question: row[number].answer for row in shifted if number < len(row)}
        for number in range(max(map(len, shifted), default=0))
    ]


def with_answers(said: dict[str, Any], answers: Mapping[str, Any]) -> Any:
    """Return what was said with markers as it should be with plain answers and these."""
    return filled_in(said, {**FIRST, **PLAIN, **answers}, MARKERS)
