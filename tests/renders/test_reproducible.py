"""The same answers make the same bytes, whatever the machine, its clock and its git are like."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.answer_sources import replay_file, run
from tests.support.hostile_answers import FREE_TEXTS, PLAIN
from tests.support.needs import lack
from tests.support.template import ROOT
from tests.support.variants import HARD_TEXT

ANSWERS = PLAIN | dict.fromkeys(FREE_TEXTS, HARD_TEXT)
ELSEWHERE: dict[str, str | None] = {
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONHASHSEED": "7",
    "PYTHONUTF8": "0",
    "TZ": "Pacific/Kiritimati",
    "USER": "somebody",
}


def files(service: Path) -> dict[str, tuple[bytes, bool]]:
    """Return what each file holds and whether it can be executed, by its path."""
    return {
        path.relative_to(service).as_posix(): (
            path.read_bytes(),
            bool(path.stat().st_mode & stat.S_IXUSR),
        )
        for path in service.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def service(own: Path, output: Path) -> Path:
    return run(ROOT, output, replay_file(ROOT, own, ANSWERS), variables={"PYTHONHASHSEED": "1"})


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return another folder to render into."""
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


def test_another_machine_makes_the_same_bytes(service: Path, own: Path, other: Path) -> None:
    again = run(ROOT, other, replay_file(ROOT, own, ANSWERS), variables=ELSEWHERE)
    assert files(again) == files(service)


@pytest.mark.parametrize("umask", ["000", "077"])
def test_a_umask_changes_no_byte_and_opens_no_file(
    service: Path, own: Path, other: Path, umask: str
) -> None:
    through = ["sh", "-c", f'umask {umask} && exec "$@"', "sh"]
    again = run(ROOT, other, replay_file(ROOT, own, ANSWERS), through=through)
    assert files(again) == files(service)
    assert not [path for path in again.rglob("*") if path.is_file() and path.stat().st_mode & 0o022]


def test_secrets_are_their_owners_alone_whatever_the_umask(service: Path) -> None:
    subprocess.run([sys.executable, "dev/dotenv.py"], cwd=service, umask=0, check=True)
    assert stat.S_IMODE((service / ".env").stat().st_mode) == 0o600
    assert "_PASSWORD=" in (service / ".env").read_text()


def test_a_checkout_for_windows_makes_the_same_bytes(own: Path, tmp_path: Path) -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        lack("this is no clone of git")
    made = []
    for name, *options in (("plain",), ("windows", "core.autocrlf=true", "core.eol=crlf")):
        template, output = tmp_path / name / "template", tmp_path / name / "output"
        configuration = [word for option in options for word in ("-c", option)]
        clone = [
            "git",
            *configuration,
            "clone",
            "--quiet",
            *configuration,
            str(ROOT),
            str(template),
        ]
        subprocess.run(clone, check=True)
        output.mkdir()
        made.append(files(run(template, output, replay_file(template, own, ANSWERS))))
    assert made[0] == made[1]
    assert not [path for path, (content, _) in made[1].items() if b"\r" in content]
