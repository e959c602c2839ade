"""Where a service is rendered to, and over what: nothing of others is lost without a word."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.answer_sources import command_line, render, run
from tests.support.baking import BakeError
from tests.support.hostile_answers import PLAIN
from tests.support.needs import lack
from tests.support.small_template import Slim
from tests.support.template import ROOT

REFUSED = PLAIN | {"author_email": "nobody"}


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return all files and folders below one, by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def edited(own: Path, output: Path) -> Path:
    """Return a service that its owner works on."""
    service = render(ROOT, output, command_line(ROOT, own, PLAIN))
    (service / "src" / "package" / "mine.py").write_text("MINE = True\n")
    (service / "Makefile").write_text("mine:\n")
    (service / ".github" / "mine.yml").touch()
    (service / ".git" / "refs").mkdir(parents=True)
    return service


def test_a_service_that_is_there_stays_as_it_is(edited: Path, own: Path, output: Path) -> None:
    before = contents(edited)
    with pytest.raises(BakeError, match="already exists"):
        run(ROOT, output, command_line(ROOT, own, PLAIN))
    assert contents(edited) == before


def test_a_refusal_deletes_nothing_of_a_service_that_is_to_be_overwritten(
    edited: Path, own: Path, output: Path
) -> None:
    before = contents(edited)
    with pytest.raises(BakeError, match="author_email: "):
        run(ROOT, output, ["--overwrite-if-exists", *command_line(ROOT, own, REFUSED)])
    assert contents(edited) == before


def test_overwriting_loses_edits_and_keeps_what_is_not_of_the_template(
    edited: Path, own: Path, output: Path
) -> None:
    """`SECURITY.md` says so."""
    other = PLAIN | {"database": "none"}
    run(ROOT, output, ["--overwrite-if-exists", *command_line(ROOT, own, other)])
    assert (edited / "src" / "package" / "mine.py").read_text() == "MINE = True\n"
    assert (edited / ".git" / "refs").is_dir()
    assert (edited / "Makefile").read_text() != "mine:\n"
    assert not (edited / "migrations").exists()
    assert (edited / ".github" / "mine.yml").exists()


@pytest.mark.parametrize("slug", ["a/b", "../a/b"])
def test_a_refusal_removes_no_folder_that_holds_something(slug: str, slim: Slim) -> None:
    project = slim.output / slug
    project.mkdir(parents=True)
    (project / "mine").touch()
    arguments = slim.arguments("command_line", PLAIN | {"project_slug": slug})
    with pytest.raises(BakeError, match="project_slug: "):
        render(slim.template, slim.output, ["--overwrite-if-exists", *arguments])
    assert (project / "mine").exists()


def test_paths_may_hold_blanks_quotes_and_other_scripts(slim: Slim, tmp_path: Path) -> None:
    plain = slim.render("command_line", PLAIN)
    hard = tmp_path / "O'Brien's \"best\" $HOME; 服务 🚀"
    shutil.copytree(slim.template, hard / "template")
    for folder in ("own", "output"):
        (hard / folder).mkdir()
    arguments = command_line(hard / "template", hard / "own", PLAIN)
    assert contents(run(hard / "template", hard / "output", arguments)) == contents(plain)


def test_no_home_is_needed(slim: Slim) -> None:
    arguments = slim.arguments("command_line", PLAIN)
    assert run(slim.template, slim.output, arguments, variables={"HOME": None}).is_dir()


def test_nothing_is_half_written_where_nothing_can_be_written(slim: Slim) -> None:
    through = []
    if os.geteuid():
        slim.output.chmod(0o555)
    else:
        mounted = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
        through = ["unshare", "--mount", "sh", "-c", mounted, str(slim.output)]
        if subprocess.run([*through, "true"], capture_output=True, check=False).returncode:
            lack("a read-only folder cannot be mounted")
    with pytest.raises(BakeError, match="Unable to create directory at "):
        run(slim.template, slim.output, slim.arguments("command_line", PLAIN), through=through)
    slim.output.chmod(0o755)
    assert not list(slim.output.iterdir())
