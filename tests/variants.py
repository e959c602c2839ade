"""The variants that are verified: the default and every single deviation from it, derived."""

from typing import Any

from .template import OPTIONS


def deviations() -> dict[str, dict[str, Any]]:
    """Return answers by a readable id: `default`, then `question=value` for every other value.

    The Python version is not among them: it is that of the machine (see `tools/pythons.py`).
    """
    variants: dict[str, dict[str, Any]] = {"default": {}}
    for question, values in OPTIONS.items():
        if question == "python_version":
            continue
        others = values[1:] if isinstance(values, list) else [not values]
        variants |= {f"{question}={value}": {question: value} for value in others}
    return variants


HARD_TEXT = "O'Brien's \"best\" service: #1 & <co> \\ 服务 🚀 \\"
VARIANTS: dict[str, dict[str, Any]] = {
    **deviations(),
    "longest-names": {"project_slug": "w" * 30, "package_name": "z" * 30},
    "shortest-names": {"project_slug": "a", "package_name": "b"},
    "hard-texts": dict.fromkeys(
        ("project_name", "description", "author_name", "organization"), HARD_TEXT
    )
    | {"project_slug": "hard-texts"},
}
"""Answers by id; an option that is declared later joins by itself."""
