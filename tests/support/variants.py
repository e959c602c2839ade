"""The variants that are verified, derived from what is declared."""

import re
from collections.abc import Iterable
from itertools import combinations as choose
from itertools import product
from typing import Any

from tools.pythons import is_installed, newest_python

from .template import FEATURES, FIRST, OPTIONS, SERVICE, expected_files, template_files, unmet

Answers = dict[str, Any]

HARD_TEXT = "O'Brien's \"best\" service: #1 & <co> \\ 服务 🚀 \\"
NAMES: dict[str, Answers] = {
    "plain": {},
    "shortest": {"project_slug": "a", "package_name": "b"},
    "hardest": {
        "project_slug": "w" * 30,
        "package_name": "z" * 30,
        **dict.fromkeys(("project_name", "description", "author_name", "organization"), HARD_TEXT),
    },
}
"""Answers to the questions for names and texts; `names` is varied as if it were an option."""


def values_of(option: str) -> list[Any]:
    """Return the values of an option, the default first; of Python, those that the machine has."""
    values = OPTIONS[option]
    if option == "python_version":
        newest = newest_python()
        return [newest, *(v for v in values if v != newest and is_installed(v))]
    return values if isinstance(values, list) else [values, not values]


VALUES = {option: values_of(option) for option in OPTIONS} | {"names": list(NAMES)}
DEFAULT = {option: values[0] for option, values in VALUES.items()}


def every(*options: str, allowed: bool = True) -> list[Answers]:
    """Return every combination of these options that can work, or else those that cannot."""
    rows = [
        dict(zip(options, values, strict=True))
        for values in product(*(VALUES[option] for option in options))
    ]
    return [DEFAULT | row for row in rows if allowed != bool(unmet(FIRST | row))]


def spoken(value: str | bool) -> str:
    """Return a value as people give it: a yes or no, or the text that it is."""
    return value if isinstance(value, str) else "yes" if value else "no"


def identity(row: Answers) -> str:
    """Return a readable id: `default`, or `option-value` for each value that is not the default."""
    others = [f"{option}-{spoken(v)}" for option, v in row.items() if v != DEFAULT[option]]
    return "-".join(others) or "default"


def given(row: Answers) -> Answers:
    """Return the answers that differ from the default, as Cookiecutter is given them."""
    others = {option: value for option, value in row.items() if value != DEFAULT[option]}
    return {option: v for option, v in others.items() if option != "names"} | NAMES[row["names"]]


def pairs_of(rows: Iterable[Answers]) -> set[tuple[Any, ...]]:
    """Return every pair of values that stands in a row."""
    return {pair for row in rows for pair in choose(row.items(), 2)}


UNSEEN = (
    *("LICENSE", "README.md", "Dockerfile", "Makefile", "pyproject.toml"),
    *("chaos", "delivery/", "deploy/"),
    *(".github", ".gitlab", ".circleci", "azure"),
    *("dev/azure_pull_request.py", "dev/merge_request.py", "dev/proposal.py"),
    *("dev/proposed_branch.py", "dev/pull_request.py"),
    *("tests/deploy", "tests/twelve_factor"),
)
"""What a service's own tests do not look at; other tests do.

An option whose dependencies they use has files that they use as well, so `pyproject.toml` tells no
more of it.
"""


def seen(option: str) -> bool:
    """Tell whether a service's own tests can tell one answer from another."""
    told = re.compile(rf"cookiecutter\.{option}\b")
    texts = (
        (SERVICE / path).read_text(encoding="utf-8")
        for path in template_files()
        if not path.startswith(UNSEEN)
    )
    patterns = (
        pattern
        for feature, listed in FEATURES.items()
        if re.match(rf"{option}(!?=|$)", feature)
        for pattern in listed
    )
    return any(map(told.search, texts)) or any(not p.startswith(UNSEEN) for p in patterns)


SEEN = [option for option in OPTIONS if seen(option)]


def behaviour(row: Answers) -> tuple[Any, ...]:
    """Return what decides on the outcome of a service's own tests: neither names nor license."""
    return tuple(row[option] for option in SEEN)


def covering(rows: list[Answers]) -> list[Answers]:
    """Return further rows that hold each pair that can work and that these rows do not hold.

    Each is the one that brings most new pairs, and of these one that behaves as another row does.
    With all rows at hand that is exact about what cannot work together, where generators of pairs
    (allpairspy 2.5) leave out pairs that can.
    """
    candidates = every(*VALUES)
    known = {behaviour(row) for row in rows}
    missing = pairs_of(candidates) - pairs_of(rows)
    found = []
    while missing:
        news = {id(row): missing & pairs_of([row]) for row in candidates}
        best = max(candidates, key=lambda row: (len(news[id(row)]), behaviour(row) in known))
        found.append(best)
        known.add(behaviour(best))
        missing -= news[id(best)]
    return found


def deciding(folder: str = "") -> list[str]:
    """Return the options that decide on files, or on those below a folder such as `compose/`."""
    return [
        option
        for option in OPTIONS
        if any(
            pattern.startswith(folder) and re.match(rf"{option}(!?=|$)", feature)
            for feature, patterns in FEATURES.items()
            for pattern in patterns
        )
    ]


def combinations(*, allowed: bool = True) -> dict[str, Answers]:
    """Return the answers to the questions that decide on containers, by a readable id.

    They are those that can work together, or else those that cannot.
    """
    rows = every(*deciding("compose/"), allowed=allowed)
    return {identity(row): given(row) for row in rows}


def files(row: Answers) -> int:
    return len(expected_files(FIRST | {"package_name": "p"} | row))


COMBINATIONS = combinations()
BARE, *_, FULLEST = sorted(COMBINATIONS, key=lambda variant: files(COMBINATIONS[variant]))
"""The ids of the combinations with the fewest and with the most files."""

DEVIATIONS = [row for row in every(*VALUES) if sum(row[o] != DEFAULT[o] for o in row) <= 1]
LEAST, MOST = min(every(*deciding()), key=files), max(every(*deciding()), key=files)
ROWS = {
    **{identity(row): row for row in DEVIATIONS},
    "bare": LEAST,
    "full": MOST,
    **{identity(row): row for row in covering([*DEVIATIONS, LEAST, MOST])},
}
"""Rows by id: the default, each other value alone, the least, the most, and what holds every
pair that can work. An option that is declared later joins by itself."""
VARIANTS = {variant: given(row) for variant, row in ROWS.items()}
"""The answers of each variant."""
EXTREMES = {variant: VARIANTS[variant] for variant in ("default", "bare", "full")}
"""The default, the least and the most: as few as tell of all files."""

FIRST_OF_ITS_KIND = {behaviour(row): variant for variant, row in reversed(ROWS.items())}
"""The variant that runs its own tests for all that behave alike."""

IN_CI = (FULLEST, "default", BARE)
"""The combinations whose pipelines are run step by step, their own tests included."""
CI_RUNS = {behaviour(DEFAULT | COMBINATIONS[variant]) for variant in IN_CI}
