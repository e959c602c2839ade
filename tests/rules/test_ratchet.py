"""Numbers that may only become smaller are at most what is written, and what is written is so."""

from pathlib import Path

import pytest

from tests.support.template import FIRST, OPTIONS, expected_files
from tests.support.variants import CODE
from tools.lines import code_lines
from tools.ratchet import FILE, Numbers, improved, numbers, read, record, risen

from .test_seams import SEAMS

WRITTEN: Numbers = {"lines": {"bare": 10, "default": 20}, "tags": {"all": 5}}


@pytest.fixture(scope="module")
def found() -> Numbers:
    return numbers()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "ratchet.toml"
    assert record(file, WRITTEN) == 0
    return file


def test_no_number_has_become_larger(found: Numbers) -> None:
    rose = risen(read(FILE), found)
    assert not rose, (
        f"tests/rules/ratchet.toml: {'; '.join(rose)}: make it smaller, or argue for it"
    )


def test_every_improvement_is_written_down(found: Numbers) -> None:
    better = improved(read(FILE), found)
    assert not better, f"tests/rules/ratchet.toml: {'; '.join(better)}: run make ratchet"


def test_every_seam_and_every_option_has_its_number(found: Numbers) -> None:
    assert found["conditionals"].keys() == SEAMS
    assert found["places"].keys() == OPTIONS.keys()
    assert all(value > 0 for values in found.values() for value in values.values())
    conditionals = sum(found["conditionals"].values())
    assert found["tags"]["all"] > 2 * conditionals


def test_lines_are_counted_between_the_least_and_the_most(found: Numbers) -> None:
    lines = found["lines"]
    assert lines["bare"] < lines["default"] < lines["full"]
    assert set(lines.values()) <= set(range(lines["bare"], lines["full"] + 1))
    sizes = {
        name: len(expected_files(FIRST | {"package_name": "p"} | answers))
        for name, answers in CODE.items()
    }
    assert (min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)) == (
        "bare",
        "full",
    )


def test_blank_lines_comments_and_docstrings_are_no_lines_of_code() -> None:
    module = (
        '"""Says.\n\nMore.\n"""\n\nimport os  # Why.\n\n# Why.\nTEXT = """\none\n"""\n"""What."""\n'
    )
    assert code_lines(module) == 4


def test_what_has_improved_is_new_or_is_gone_is_written(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    better: Numbers = {"lines": {"bare": 9, "other": 30}, "tags": {"all": 5}}
    assert record(file, better) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "bare = 10 is now 9; [lines] other = new is now 30; [lines] default = 20 is no" in line
    assert read(file) == better


def test_what_has_become_larger_is_named_in_one_line_and_not_written(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(file, {"lines": {"bare": 9, "default": 21}, "tags": {"all": 6}}) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "[lines] default = 20 is now 21; [tags] all = 5 is now 6" in line
    assert read(file) == WRITTEN
