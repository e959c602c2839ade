"""The tested variants, derived from cookiecutter.json."""

import re
from collections.abc import Iterable
from itertools import chain, product
from typing import Any

from tools.pythons import is_installed, newest_python

from .pairs import covering, essential
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
    *("chaos", "deploy", "infrastructure", "release"),
    *(".github", ".gitlab", ".circleci", "azure"),
    *(".devcontainer", ".vscode", "AGENTS.md", "Procfile"),
    "renovate.json",
    *("tests/chassis", "tests/support/span_fixtures.py", "tests/twelve_factor"),
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


def further(rows: list[Answers], options: Iterable[str] = VALUES) -> list[Answers]:
    """Return further rows, so that every valid pair of values of these options occurs in a row."""
    dependent = [option for option in DEPENDENT if option in options]
    combined = [{option: row[option] for option in dependent} for row in every(*dependent)]
    values = {option: VALUES[option] for option in options}
    restricted = [{option: row[option] for option in options} for row in rows]

    def is_known(found: list[Answers], row: Answers) -> bool:
        return behaviour(DEFAULT | row) in {behaviour(DEFAULT | it) for it in (*rows, *found)}

    return [DEFAULT | row for row in covering(values, combined, restricted, is_known)]


def deciding(folder: str = "") -> list[str]:
    """Return the options that decide which files exist below a folder such as `compose/`.

    Those that they require are among them.
    """
    found = {
        feature
        for feature, patterns in FEATURES.items()
        if any(f"{pattern}/".startswith(folder) for pattern in patterns)
    }
    while needed := {n for f in found for n in REQUIREMENTS.get(f, [])} - found:
        found |= needed
    return [option for option in OPTIONS if any(re.match(rf"{option}(!?=|$)", f) for f in found)]


def combinations(*options: str) -> list[Answers]:
    """Return rows with every valid pair of values of these options.

    The first three are the default and those with the fewest and the most files.
    """
    ordered = sorted(every(*options), key=files)
    rows = [DEFAULT, ordered[0], ordered[-1]]
    return rows + further(rows, options)


def files(row: Answers) -> int:
    return len(expected_files(FIRST | {"package_name": "p"} | row))


COMBINED = combinations(*deciding("compose/"))
COMBINATIONS = {identity(row): given(row) for row in COMBINED}
"""The answers of variants with every pair of answers that decide on containers."""
BARE, FULLEST = list(COMBINATIONS)[1:3]
"""The ids of those with the fewest and with the most files."""
CONTAINED = [
    identity(row)
    for number, row in enumerate(COMBINED)
    if row.items() - set[Any]().union(*(earlier.items() for earlier in COMBINED[:number]))
]
"""The ids of variants in which each of these answers occurs: their containers are tested."""

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
    **{identity(row): row for row in further([*DEVIATIONS, LEAST, MOST])},
}
"""Rows by id: the default, each single deviation, the fewest and the most files, and further rows
for every valid pair of values. New options are included automatically."""
VARIANTS = {variant: given(row) for variant, row in ROWS.items()}
"""The answers of each variant."""
EXTREMES = {variant: VARIANTS[variant] for variant in ("default", "bare", "full")}
"""The default and the variants with the fewest and the most files."""

FIRST_WITH_BEHAVIOUR = {behaviour(row): variant for variant, row in reversed(ROWS.items())}
"""The variant that stands for all variants with the same behaviour of `make test`."""

IN_CI = (FULLEST, "default", BARE)
"""The combinations whose pipeline steps are run, `make test` included."""
CI_RUNS = {behaviour(DEFAULT | COMBINATIONS[variant]) for variant in IN_CI}


def as_answers(values: tuple[Any, ...]) -> Answers:
    """Return a behaviour as answers."""
    return dict(zip(TESTED, values, strict=True))


OUTSIDE_CI = essential(
    {name: as_answers(values) for values, name in FIRST_WITH_BEHAVIOUR.items()},
    [as_answers(values) for values in CI_RUNS],
)
"""The variants whose `make test` is also run: every pair of answers occurs in a run."""
