"""The recorded limits hold, and improvements are recorded (see `tools/ratchet.py`)."""

from pathlib import Path

import pytest

from tests.support.template import OPTIONS
from tools.ratchet import FILE, MEASURED, Numbers, improved, numbers, read, record, risen, size

from .test_seams import SEAMS

RECORDED: Numbers = {"lines": {"bare": 10, "default": 20}, "tags": {"all": 5}}


@pytest.fixture(scope="module")
def found() -> Numbers:
    return numbers()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "ratchet.toml"
    assert record(file, RECORDED) == 0
    return file


def test_no_number_exceeds_its_limit(found: Numbers) -> None:
    rose = risen(read(FILE), found)
    assert not rose, f"tests/rules/ratchet.toml: {'; '.join(rose)}"


def test_every_improvement_is_recorded(found: Numbers) -> None:
    better = improved(read(FILE), found)
    assert not better, f"tests/rules/ratchet.toml: {'; '.join(better)}: run make ratchet"


def test_every_seam_and_every_option_has_a_number(found: Numbers) -> None:
    assert found["conditionals"].keys() == SEAMS
    assert found["places"].keys() == OPTIONS.keys()
    assert all(value > 0 for values in found.values() for value in values.values())
    conditionals = sum(found["conditionals"].values())
    assert found["tags"]["all"] > found["tags"]["blocks"] > 2 * conditionals
    assert found["tags"]["files"] == len(SEAMS) + 1  # LICENSE is an include.


def test_the_default_is_larger_than_bare_and_smaller_than_full(found: Numbers) -> None:
    for table in ("files", "lines", "src", "owned"):
        sizes = found[table]
        assert sizes.keys() == MEASURED.keys()
        assert sizes["bare"] < sizes["default"] < sizes["full"], table
    for variant in MEASURED:
        longest, owned, src, lines = (
            found[t][variant] for t in ("longest", "owned", "src", "lines")
        )
        assert longest < src < lines
        assert owned < src


def test_sizes_count_all_lines(tmp_path: Path) -> None:
    texts = {
        "README.md": "# Title\n\nText.\n",
        "dev/run.py": "pass\n",
        "src/p/main.py": '"""Title."""\n\n# Why.\npass\n',
        "src/p/chassis/cli.py": "pass\n" * 5,
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert size(tmp_path) == {"files": 4, "lines": 13, "src": 9, "owned": 4, "longest": 5}


def test_improved_new_and_removed_numbers_are_recorded(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    current: Numbers = {"lines": {"bare": 9, "other": 30}, "tags": {"all": 5}}
    assert record(file, current) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "bare = 10 is now 9; [lines] other = new is now 30; [lines] default = 20 is no" in line
    assert read(file) == current


def test_increased_numbers_are_reported_in_one_line_and_not_recorded(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(file, {"lines": {"bare": 9, "default": 21}, "tags": {"all": 6}}) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "[lines] default = 20 is now 21; [tags] all = 5 is now 6" in line
    assert read(file) == RECORDED
