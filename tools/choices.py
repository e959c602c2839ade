"""The answers that decide on the code of a service, as few as tell of all: what is measured."""

import re
from itertools import product
from typing import Any

from tests.template import FEATURES, FIRST, OPTIONS, expected_files, unmet


def deciding() -> list[str]:
    """Return the questions whose answers bring modules of their own."""
    listed = [name for name, paths in FEATURES.items() if any(p.startswith("src/") for p in paths)]
    return [name for name in OPTIONS if any(re.match(rf"{name}(!?=|$)", each) for each in listed)]


def allowed() -> list[dict[str, Any]]:
    """Return the answers to those questions that can work together, as far as not the default."""
    values = [
        OPTIONS[name] if isinstance(OPTIONS[name], list) else [False, True] for name in deciding()
    ]
    given = (dict(zip(deciding(), each, strict=True)) for each in product(*values))
    return [
        {name: value for name, value in answers.items() if value != FIRST[name]}
        for answers in given
        if not unmet(FIRST | answers)
    ]


def measured() -> dict[str, dict[str, Any]]:
    """Return answers by id: `default`, `bare` and `fullest`, and each single other answer."""
    by_size = sorted(allowed(), key=lambda answers: len(expected_files(whole(answers))))
    extremes = {"default": {}, "bare": by_size[0], "fullest": by_size[-1]}
    single = {
        f"{name}-{spoken(value)}": {name: value}
        for answers in allowed()
        if len(answers) == 1 and answers not in extremes.values()
        for name, value in answers.items()
    }
    return extremes | single


def whole(answers: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to every question; the package is called `p`, unless told otherwise."""
    return FIRST | {"package_name": "p"} | answers


def spoken(value: str | bool) -> str:
    """Return a value as people give it: a yes or no, or the text that it is."""
    return value if isinstance(value, str) else "yes" if value else "no"
