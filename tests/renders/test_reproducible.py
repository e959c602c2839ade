"""The same answers render the same bytes, whatever the environment, umask and git settings."""

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
    """Return the content of each file and whether it is executable, by its path."""
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
    """A second folder to render into."""
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


def test_another_environment_renders_the_same_bytes(service: Path, own: Path, other: Path) -> None:
    again = run(ROOT, other, replay_file(ROOT, own, ANSWERS), variables=ELSEWHERE)
    assert files(again) == files(service)


@pytest.mark.parametrize("umask", ["000", "077"])
def test_the_umask_does_not_affect_content_or_make_files_writable_for_others(
    service: Path, own: Path, other: Path, umask: str
) -> None:
    through = ["sh", "-c", f'umask {umask} && exec "$@"', "sh"]
    again = run(ROOT, other, replay_file(ROOT, own, ANSWERS), through=through)
    assert files(again) == files(service)
    assert not [path for path in again.rglob("*") if path.is_file() and path.stat().st_mode & 0o022]


def test_only_the_owner_can_read_secrets_whatever_the_umask(service: Path) -> None:
    subprocess.run([sys.executable, "dev/dotenv.py"], cwd=service, umask=0, check=True)
    assert stat.S_IMODE((service / ".env").stat().st_mode) == 0o600
    assert "_PASSWORD=" in (service / ".env").read_text()


def test_a_checkout_with_crlf_renders_the_same_bytes(own: Path, tmp_path: Path) -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        lack("the template is not a git clone")
    rendered = []
    for name, *options in (("plain",), ("windows", "core.autocrlf=true", "core.eol=crlf")):
        template, output = tmp_path / name / "template", tmp_path / name / "output"
        settings = [word for option in options for word in ("-c", option)]
        clone = ["git", *settings, "clone", "--quiet", *settings, str(ROOT), str(template)]
        subprocess.run(clone, check=True)
        output.mkdir()
        rendered.append(files(run(template, output, replay_file(template, own, ANSWERS))))
    assert rendered[0] == rendered[1]
    assert not [path for path, (content, _) in rendered[1].items() if b"\r" in content]
