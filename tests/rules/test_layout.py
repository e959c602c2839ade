"""Size and folder of the template's test modules."""

from collections import Counter
from pathlib import Path

from tests.support.template import ROOT

TESTS = ROOT / "tests"
FOLDERS = {"rules", "renders", "runs", "ship", "cluster"}
MAX_LINES = 250
MODULES = sorted(TESTS.rglob("*.py"))
TEST_MODULES = [path for path in MODULES if path.name.startswith("test_")]


def name(path: Path) -> str:
    return str(path.relative_to(TESTS))


def test_every_test_module_is_in_one_of_the_folders() -> None:
    assert {path.parent.name for path in TEST_MODULES} == FOLDERS
    assert [name(path) for path in TEST_MODULES if path.parent.parent != TESTS] == []


def test_no_module_is_longer_than_250_lines() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_no_two_test_modules_have_the_same_name() -> None:
    # pytest-xdist would run modules of the same name as one group (see `group_of`).
    counts = Counter(path.stem for path in TEST_MODULES)
    assert [stem for stem, count in counts.items() if count > 1] == []
