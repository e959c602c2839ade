"""The variants cover all pairs of answers; their failures are reported in one line."""

import re
from itertools import chain, product
from itertools import combinations as choose
from typing import Literal

import pytest

from tests.support import variant_table
from tests.support.findings import findings_in, verdict
from tests.support.pairs import pairs
from tests.support.template import FIRST, OPTIONS, REQUIREMENTS, unmet
from tests.support.variants import (
    CI_RUNS,
    OUTSIDE_CI,
    ROWS,
    VALUES,
    VARIANTS,
    as_answers,
    behaviour,
)


def test_every_valid_pair_of_answers_occurs_in_a_variant() -> None:
    named = " ".join(chain(REQUIREMENTS, *REQUIREMENTS.values()))
    restricted = [option for option in OPTIONS if re.search(rf"\b{option}\b", named)]
    rows = map(dict, product(*(product([option], VALUES[option]) for option in restricted)))
    valid = set().union(*(pairs(row) for row in rows if not unmet(FIRST | row)))
    occurring = set().union(*map(pairs, ROWS.values()))
    assert len(valid) > 100
    for one, other in choose(VALUES, 2):
        for pair in product(product([one], VALUES[one]), product([other], VALUES[other])):
            expected = pair in valid or not {one, other} <= set(restricted)
            assert (pair in occurring) == expected, pair


def test_every_pair_of_answers_that_make_test_depends_on_is_tested() -> None:
    runs = [*map(as_answers, CI_RUNS), *(as_answers(behaviour(ROWS[name])) for name in OUTSIDE_CI)]
    needed = set().union(*(pairs(as_answers(behaviour(row))) for row in ROWS.values()))
    assert needed == set().union(*map(pairs, runs))
    assert len(OUTSIDE_CI) < len(set(map(behaviour, ROWS.values())) - CI_RUNS)


def test_every_single_deviation_is_a_variant_and_none_occurs_twice() -> None:
    deviations = [
        {"chassis_tests": True} | {question: value}
        for question in OPTIONS
        for value in VALUES[question][1:]
        if not unmet(FIRST | {question: value})
    ]
    assert deviations
    assert all(answers in VARIANTS.values() for answers in deviations)
    rows = [tuple(row.items()) for name, row in ROWS.items()]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("output", "finding"),
    [
        ("All good\nsrc/a.py:1:8: F401 `os` imported but unused\nFound 1", "src/a.py:1:8: F401 "),
        ("src/a.py:3: error: Name 'x' is not defined  [name-defined]\n", "src/a.py:3: error: "),
        ("Would reformat: src/a.py\n1 file would", "Would reformat: src/a.py"),
        (
            "The model needs only the standard library BROKEN\n",
            "The model needs only the standard library BROKEN",
        ),
        ("== 1 failed ==\nFAILED tests/test_a.py::test_b - assert 1\n", "FAILED tests/test_a.py"),
        ("other output\nlast line\n", "last line"),
        ("", "failed without output"),
    ],
)
def test_the_line_with_a_place_and_a_rule_is_found(output: str, finding: str) -> None:
    assert findings_in(output)[0].startswith(finding)


def test_a_verdict_is_one_line_with_variant_finding_and_inspection() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        verdict("redis-yes", "residue", ["README.md: contains '{%'", "Makefile: contains '{%'"])
    line, *_ = str(failed.value).splitlines()
    assert line == "redis-yes: README.md: contains '{%' [residue] (and 1 more)"
    verdict("redis-yes", "residue", [])


def report(
    test: str, parameters: str, outcome: Literal["passed", "failed"], seconds: float
) -> pytest.TestReport:
    nodeid = f"tests/renders/test_variants.py::{test}[{parameters}]"
    message = "redis-yes: README.md: contains [residue]\nand more" if outcome == "failed" else None
    return pytest.TestReport(nodeid, ("", 0, ""), {}, outcome, message, "call", duration=seconds)


def test_the_table_has_a_row_per_variant_with_total_durations() -> None:
    table = variant_table.lines(
        [
            report("test_inspection", "default-files", "passed", 1.0),
            report("test_inspection", "default-links", "passed", 0.5),
            report("test_make_check", "redis-yes", "failed", 2.0),
            report("test_make_check", "redis-yes", "passed", 2.0),
        ]
    )
    assert table[-2:] == ["", "redis-yes: README.md: contains [residue]"]
    rows = {line.split()[-1]: line for line in table[2:-2]}
    assert rows.keys() == ROWS.keys()
    assert "1.5 s" in rows["default"]
    assert "failed" in rows["redis-yes"]
    assert variant_table.lines([]) == []
