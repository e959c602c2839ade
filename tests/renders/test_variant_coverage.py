"""The variants cover what they claim to, and what is wrong with one is told in one line."""

from itertools import combinations as choose
from itertools import product
from typing import Literal

import pytest

from tests.support import variant_table
from tests.support.findings import findings_in, verdict
from tests.support.template import FIRST, OPTIONS, unmet
from tests.support.variants import ROWS, VALUES, VARIANTS


def test_each_pair_of_answers_that_can_work_stands_in_a_variant() -> None:
    def can_work(*pairs: tuple[str, object]) -> bool:
        return not unmet(FIRST | dict(pairs))

    for one, other in choose(VALUES, 2):
        for a, b in product(VALUES[one], VALUES[other]):
            rest = next(
                (
                    row
                    for row in map(dict, product(*(product([q], VALUES[q]) for q in OPTIONS)))
                    if can_work(*(row | {one: a, other: b}).items())
                ),
                None,
            )
            held = [row for row in ROWS.values() if row[one] == a and row[other] == b]
            assert bool(held) == bool(rest), f"{one}={a} with {other}={b}"


def test_each_value_is_tried_alone_and_no_variant_twice() -> None:
    alone = [
        {question: value}
        for question in OPTIONS
        for value in VALUES[question][1:]
        if not unmet(FIRST | {question: value})
    ]
    assert alone
    assert all(answers in VARIANTS.values() for answers in alone)
    rows = [tuple(row.items()) for name, row in ROWS.items()]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        ("All good\nsrc/a.py:1:8: F401 `os` imported but unused\nFound 1", "src/a.py:1:8: F401 "),
        ("src/a.py:3: error: Name 'x' is not defined  [name-defined]\n", "src/a.py:3: error: "),
        ("Would reformat: src/a.py\n1 file would", "Would reformat: src/a.py"),
        (
            "The model needs only the standard library BROKEN\n",
            "The model needs only the standard library BROKEN",
        ),
        ("== 1 failed ==\nFAILED tests/test_a.py::test_b - assert 1\n", "FAILED tests/test_a.py"),
        ("what else there is\nthe end\n", "the end"),
        ("", "failed and said nothing"),
    ],
)
def test_the_line_that_names_the_place_is_found(said: str, finding: str) -> None:
    assert findings_in(said)[0].startswith(finding)


def test_a_verdict_is_one_line_with_variant_file_and_rule() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        verdict("redis-yes", "residue", ["README.md: holds '{%'", "Makefile: holds '{%'"])
    line, *_ = str(failed.value).splitlines()
    assert line == "redis-yes: README.md: holds '{%' [residue] (and 1 more)"
    verdict("redis-yes", "residue", [])


def report(
    test: str, parameters: str, outcome: Literal["passed", "failed"], seconds: float
) -> pytest.TestReport:
    nodeid = f"tests/renders/test_variants.py::{test}[{parameters}]"
    said = "redis-yes: README.md: holds [residue]\nand more" if outcome == "failed" else None
    return pytest.TestReport(nodeid, ("", 0, ""), {}, outcome, said, "call", duration=seconds)


def test_the_table_has_a_row_for_each_variant_and_adds_up_seconds() -> None:
    told = variant_table.lines(
        [
            report("test_to_the_eye", "default-files", "passed", 1.0),
            report("test_to_the_eye", "default-links", "passed", 0.5),
            report("test_its_own_checks", "redis-yes", "failed", 2.0),
            report("test_its_own_checks", "redis-yes", "passed", 2.0),
        ]
    )
    assert told[-2:] == ["", "redis-yes: README.md: holds [residue]"]
    rows = {line.split()[-1]: line for line in told[2:-2]}
    assert rows.keys() == ROWS.keys()
    assert "1.5 s" in rows["default"]
    assert "failed" in rows["redis-yes"]
    assert variant_table.lines([]) == []
