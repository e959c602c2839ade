"""The variants that are verified, derived from what is declared."""

import re
from itertools import product
from typing import Any

from tools.pythons import is_at_hand, newest_python

from .template import FEATURES, FIRST, OPTIONS, expected_files, unmet


def deviations() -> dict[str, dict[str, Any]]:
    """Return answers by a readable id: `default`, then `question-value` for every other value.

    Of the Python versions there are those that the machine has (see `tools/pythons.py`).
    """
    variants: dict[str, dict[str, Any]] = {"default": {}}
    for question, values in OPTIONS.items():
        others = values[1:] if isinstance(values, list) else [not values]
        if question == "python_version":
            others = [v for v in values if v != newest_python() and is_at_hand(v)]
        variants |= {f"{question}-{spoken(value)}": {question: value} for value in others}
    return variants


def combinations(*, allowed: bool = True) -> dict[str, dict[str, Any]]:
    """Return the answers to the questions that decide on containers, by a readable id.

    They are those that can work together, or else those that cannot.
    """
    deciding = [question for question in OPTIONS if decides_on_containers(question)]
    values = [
        OPTIONS[question] if isinstance(OPTIONS[question], list) else [False, True]
        for question in deciding
    ]
    variants = {}
    for chosen in product(*values):
        answers = dict(zip(deciding, chosen, strict=True))
        default = {question: options[0] for question, options in zip(deciding, values, strict=True)}
        others = {q: value for q, value in answers.items() if value != default[q]}
        if allowed != bool(unmet(answers)):
            variant = "-".join(f"{q}-{spoken(value)}" for q, value in others.items()) or "default"
            variants[variant] = others
    return variants


def decides_on_containers(question: str) -> bool:
    """Tell whether answers to this question bring a container of their own."""
    return any(
        pattern.startswith("compose/") and re.match(rf"{question}(=|$)", feature)
        for feature, patterns in FEATURES.items()
        for pattern in patterns
    )


def spoken(value: str | bool) -> str:
    """Return a value as people give it: a yes or no, or the text that it is."""
    return value if isinstance(value, str) else "yes" if value else "no"


COMBINATIONS = combinations()
BARE, *_, FULLEST = sorted(
    COMBINATIONS,
    key=lambda variant: len(expected_files(FIRST | {"package_name": "p"} | COMBINATIONS[variant])),
)
"""The ids of the combinations with the fewest and with the most files."""
HARD_TEXT = "O'Brien's \"best\" service: #1 & <co> \\ 服务 🚀 \\"
TEXTS = ("project_name", "description", "author_name", "organization")
VARIANTS: dict[str, dict[str, Any]] = {
    **deviations(),
    **COMBINATIONS,
    "shortest-names": {"project_slug": "a", "package_name": "b"},
    "hardest-answers": {
        "project_slug": "w" * 30,
        "package_name": "z" * 30,
        **dict.fromkeys(TEXTS, HARD_TEXT),
    },
}
"""Answers by id; an option that is declared later joins by itself."""
