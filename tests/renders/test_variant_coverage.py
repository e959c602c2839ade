"""The variants cover all pairs of answers; their failures are reported in one line."""

from itertools import combinations as choose
from itertools import product
from typing import Literal

import pytest

from tests.support import variant_table
from tests.support.findings import findings_in, verdict
from tests.support.template import FIRST, OPTIONS, unmet
from tests.support.variants import ROWS, VALUES, VARIANTS


def test_every_valid_pair_of_answers_occurs_in_a_variant() -> None:
    def valid(*pairs: tuple[str, object]) -> bool:
        return not unmet(FIRST | dict(pairs))

    for one, other in choose(VALUES, 2):
        for a, b in product(VALUES[one], VALUES[other]):
            rest = next(
                (
                    row
                    for row in map(dict, product(*(product([q], VALUES[q]) for q in OPTIONS)))
                    if valid(*(row | {one: a, other: b}).items())
                ),
                None,
            )
            rows = [row for row in ROWS.values() if row[one] == a and row[other] == b]
            assert bool(rows) == bool(rest), f"{one}={a} with {other}={b}"


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
