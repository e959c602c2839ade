"""The tested variants, derived from cookiecutter.json."""

import re
from itertools import chain, product
from itertools import combinations as choose
from typing import Any

from tools.pythons import is_installed, newest_python

from .template import (
    FEATURES,
    FIRST,
    OPTIONS,
    REQUIREMENTS,
    SERVICE,
    expected_files,
    template_files,
    unmet,
)

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
"""Answers to the questions for names and texts; `names` varies like an option."""


def values_of(option: str) -> list[Any]:
    """Return the values of an option, that of the tested default first.

    For Python these are the installed versions. The tested default has the tests of the chassis.
    """
    values = OPTIONS[option]
    if option == "chassis_tests":
        return [True, False]
    if option == "python_version":
        newest = newest_python()
        return [newest, *(v for v in values if v != newest and is_installed(v))]
    return values if isinstance(values, list) else [values, not values]


VALUES = {option: values_of(option) for option in OPTIONS} | {"names": list(NAMES)}
DEFAULT = {option: values[0] for option, values in VALUES.items()}


def every(*options: str, allowed: bool = True) -> list[Answers]:
    """Return all valid, or all invalid, combinations of these options."""
    rows = [
        dict(zip(options, values, strict=True))
        for values in product(*(VALUES[option] for option in options))
    ]
    return [DEFAULT | row for row in rows if allowed != bool(unmet(FIRST | row))]


def argument(value: str | bool) -> str:
    """Return a value as it is given on a command line."""
    return value if isinstance(value, str) else "yes" if value else "no"


def identity(row: Answers) -> str:
    """Return an id: `default`, or `option-value` for each value other than the default."""
    others = [f"{option}-{argument(v)}" for option, v in row.items() if v != DEFAULT[option]]
    return "-".join(others) or "default"


def given(row: Answers) -> Answers:
    """Return the answers for Cookiecutter that differ from the tested default."""
    others = {option: value for option, value in row.items() if value != DEFAULT[option]}
    others["chassis_tests"] = row["chassis_tests"]
    return {option: v for option, v in others.items() if option != "names"} | NAMES[row["names"]]


UNTESTED = (
    *("LICENSE", "README.md", "Dockerfile", "Makefile", "pyproject.toml"),
    *("chaos", "deploy", "release"),
    *(".github", ".gitlab", ".circleci", "azure"),
    *(".devcontainer", ".vscode", "AGENTS.md", "Procfile"),
    "renovate.json",
    *("tests/chassis", "tests/twelve_factor"),
)
"""Files that do not affect `make test` in a service, or that every tested service has.

An option with dependencies that matter to `make test` also has source files, so `pyproject.toml`
need not be considered.
"""


def affects_tests(option: str) -> bool:
    """Return whether `make test` in a service depends on this option."""
    named = re.compile(rf"cookiecutter\.{option}\b")
    texts = (
        (SERVICE / path).read_text(encoding="utf-8")
        for path in template_files()
        if not path.startswith(UNTESTED)
    )
    patterns = (
        pattern
        for feature, listed in FEATURES.items()
        if re.match(rf"{option}(!?=|$)", feature)
        for pattern in listed
    )
    return any(map(named.search, texts)) or any(not p.startswith(UNTESTED) for p in patterns)


TESTED = [option for option in OPTIONS if affects_tests(option)]


def behaviour(row: Answers) -> tuple[Any, ...]:
    """Return the values that `make test` in a service depends on."""
    return tuple(row[option] for option in TESTED)


DEPENDENT = [
    option
    for option in OPTIONS
    if option in TESTED
    or any(re.match(rf"{option}(!?=|$)", it) for it in chain(REQUIREMENTS, *REQUIREMENTS.values()))
]
"""The options that restrict others, are restricted, or decide on the tested behaviour."""
COMBINED = every(*DEPENDENT)

Pair = tuple[tuple[str, Any], tuple[str, Any]]


def pairs(row: Answers) -> set[Pair]:
    """Return the pairs of values in a row."""
    return set(choose(row.items(), 2))


def valid_pairs() -> set[Pair]:
    """Return the pairs of values that occur in a valid row."""
    together = set().union(*map(pairs, COMBINED))
    return {
        pair
        for one, other in choose(VALUES, 2)
        for pair in product(product([one], VALUES[one]), product([other], VALUES[other]))
        if pair in together or not {one, other} <= set(DEPENDENT)
    }


def covering(rows: list[Answers]) -> list[Answers]:
    """Return further rows, so that every valid pair of values occurs in a row.

    The algorithm is greedy: it completes a missing pair in each valid way of the dependent options,
    gives each other option the value that adds the most missing pairs, and takes the row with the
    most, and among those one with a known behaviour. allpairspy 2.5 misses valid pairs.
    """
    known = {behaviour(row) for row in rows}
    missing = valid_pairs().difference(*map(pairs, rows))

    def completed(row: Answers, fixed: Answers) -> Answers:
        done = {option: row[option] for option in DEPENDENT} | fixed
        for option in VALUES:
            if option not in done:
                done[option] = max(VALUES[option], key=lambda value: added(done, (option, value)))
        return {option: done[option] for option in VALUES}

    def added(row: Answers, item: tuple[str, Any]) -> int:
        return sum((other, item) in missing or (item, other) in missing for other in row.items())

    found = []
    while missing:
        fixed = dict(min(missing, key=str))
        fitting = [
            row
            for row in COMBINED
            if all(row[option] == value for option, value in fixed.items() if option in DEPENDENT)
        ]
        best = max(
            (completed(row, fixed) for row in fitting),
            key=lambda row: (len(missing & pairs(row)), behaviour(row) in known),
        )
        found.append(best)
        known.add(behaviour(best))
        missing -= pairs(best)
    return found


def deciding(folder: str = "") -> list[str]:
    """Return the options that decide which files exist below a folder such as `compose/`."""
    return [
        option
        for option in OPTIONS
        if any(
            f"{pattern}/".startswith(folder) and re.match(rf"{option}(!?=|$)", feature)
            for feature, patterns in FEATURES.items()
            for pattern in patterns
        )
    ]


def combinations(*, allowed: bool = True) -> dict[str, Answers]:
    """Return all valid, or all invalid, combinations of the options that decide on containers."""
    rows = every(*deciding("compose/"), allowed=allowed)
    return {identity(row): given(row) for row in rows}


def files(row: Answers) -> int:
    return len(expected_files(FIRST | {"package_name": "p"} | row))


COMBINATIONS = combinations()
BARE, *_, FULLEST = sorted(COMBINATIONS, key=lambda variant: files(COMBINATIONS[variant]))
"""The ids of the combinations with the fewest and with the most files."""

DEVIATIONS = [
    DEFAULT,
    *(
        row
        for option, values in VALUES.items()
        for value in values[1:]
        if not unmet(FIRST | (row := DEFAULT | {option: value}))
    ),
]
LEAST, MOST = min(every(*deciding()), key=files), max(every(*deciding()), key=files)
ROWS = {
    **{identity(row): row for row in DEVIATIONS},
    "bare": LEAST,
    "full": MOST,
    **{identity(row): row for row in covering([*DEVIATIONS, LEAST, MOST])},
}
"""Rows by id: the default, each single deviation, the fewest and the most files, and further rows
for every valid pair of values. New options are included automatically."""
VARIANTS = {variant: given(row) for variant, row in ROWS.items()}
"""The answers of each variant."""
EXTREMES = {variant: VARIANTS[variant] for variant in ("default", "bare", "full")}
"""The default and the variants with the fewest and the most files."""

FIRST_WITH_BEHAVIOUR = {behaviour(row): variant for variant, row in reversed(ROWS.items())}
"""The variant that runs `make test` for all variants with the same behaviour."""

IN_CI = (FULLEST, "default", BARE)
"""The combinations whose pipeline steps are run, `make test` included."""
CI_RUNS = {behaviour(DEFAULT | COMBINATIONS[variant]) for variant in IN_CI}
