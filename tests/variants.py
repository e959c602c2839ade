"""The variants that are verified: the default and every single deviation from it, derived."""

from typing import Any

from tools.pythons import is_at_hand, newest_python

from .template import OPTIONS


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


def spoken(value: str | bool) -> str:
    """Return a value as people give it: a yes or no, or the text that it is."""
    return value if isinstance(value, str) else "yes" if value else "no"


HARD_TEXT = "O'Brien's \"best\" service: #1 & <co> \\ 服务 🚀 \\"
TEXTS = ("project_name", "description", "author_name", "organization")
VARIANTS: dict[str, dict[str, Any]] = {
    **deviations(),
    "shortest-names": {"project_slug": "a", "package_name": "b"},
    "hardest-answers": {
        "project_slug": "w" * 30,
        "package_name": "z" * 30,
        **dict.fromkeys(TEXTS, HARD_TEXT),
    },
}
"""Answers by id; an option that is declared later joins by itself."""
