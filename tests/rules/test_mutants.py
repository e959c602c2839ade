"""The edits of each mutant apply to a service, and the check that it names exists."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.mutants import MUTANTS, Mutant

CHECKS = "tests/twelve_factor"
IDS = [mutant.id for mutant in MUTANTS]


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    service = Baker(cookies_session).bake(release=True)
    (service / "uv.lock").write_text('hash = "sha256:0"\n')
    return service


@pytest.mark.parametrize("mutant", MUTANTS, ids=IDS)
def test_the_edits_of_a_mutant_apply(service: Path, tmp_path: Path, mutant: Mutant) -> None:
    copy = shutil.copytree(service, tmp_path / "service")
    mutant.apply(copy)
    for pattern, _, new in mutant.edits:
        (path,) = copy.glob(pattern)
        assert new in path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            # A check must find the bug, not an undefined name.
            ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F82"]
            done = subprocess.run([*ruff, path], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mutant", MUTANTS, ids=IDS)
def test_the_check_that_a_mutant_names_exists(service: Path, mutant: Mutant) -> None:
    module = (service / CHECKS / f"test_{mutant.factor}.py").read_text(encoding="utf-8")
    checks = set(re.findall(r"def (test_\w+)\(", module))
    assert mutant.check in checks


@pytest.mark.parametrize(
    ("file", "old"), [("src/*/gone.py", "a"), ("src/*/main.py", "no such text"), ("src/*", "a")]
)
def test_an_edit_that_does_not_apply_is_an_error(service: Path, file: str, old: str) -> None:
    mutant = Mutant("a bug", "i_codebase", "test_it", ((file, old, "b"),))
    with pytest.raises(LookupError, match="a bug: "):
        mutant.apply(service)
