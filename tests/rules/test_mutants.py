"""Each mutant can be made: its edits find their places, and its checks exist."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.mutants import MUTANTS, SUBJECT, Mutant

CHECKS = "tests/twelve_factor"


@pytest.fixture(scope="module")
def subject(cookies_session: Cookies) -> Path:
    service = Baker(cookies_session).bake(**SUBJECT)
    (service / "uv.lock").write_text('hash = "sha256:0"\n')
    return service


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault.replace(" ", "-"))
def test_each_edit_of_a_mutant_finds_its_place(
    subject: Path, tmp_path: Path, mutant: Mutant
) -> None:
    service = shutil.copytree(subject, tmp_path / "service")
    mutant.apply(service)
    for pattern, _, new in mutant.edits:
        (path,) = service.glob(pattern)
        assert new in path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            # The fault must be found by a check, not by an unknown name.
            ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F82"]
            done = subprocess.run([*ruff, path], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault.replace(" ", "-"))
def test_the_checks_that_find_a_mutant_exist(subject: Path, mutant: Mutant) -> None:
    module = (subject / CHECKS / f"test_{mutant.factor}.py").read_text(encoding="utf-8")
    checks = set(re.findall(r"def (test_\w+)\(", module))
    assert {mutant.check, *mutant.also} <= checks


@pytest.mark.parametrize(
    ("file", "old"), [("src/*/gone.py", "a"), ("src/*/main.py", "no such text"), ("src/*", "a")]
)
def test_an_edit_without_its_place_is_an_error(subject: Path, file: str, old: str) -> None:
    mutant = Mutant("fault", "i_codebase", "test_it", frozenset(), ((file, old, "b"),))
    with pytest.raises(LookupError, match="fault: "):
        mutant.apply(subject)
