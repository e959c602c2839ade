"""The folder that a service is rendered into: existing files are never lost silently."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.answer_sources import command_line, render, run
from tests.support.baking import BakeError
from tests.support.hostile_answers import PLAIN
from tests.support.needs import lack
from tests.support.small_template import SmallTemplate
from tests.support.template import ROOT

REJECTED = PLAIN | {"author_email": "nobody"}


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return all files and folders below a folder by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def edited(own: Path, output: Path) -> Path:
    """A service with edits of its owner."""
    service = render(ROOT, output, command_line(ROOT, own, PLAIN))
    (service / "src" / "package" / "mine.py").write_text("MINE = True\n")
    (service / "Makefile").write_text("mine:\n")
    (service / ".github" / "mine.yml").touch()
    (service / ".git" / "refs").mkdir(parents=True)
    return service


def test_an_existing_service_is_not_changed(edited: Path, own: Path, output: Path) -> None:
    before = contents(edited)
    with pytest.raises(BakeError, match="already exists"):
        run(ROOT, output, command_line(ROOT, own, PLAIN))
    assert contents(edited) == before


def test_rejected_answers_do_not_change_a_service_that_would_be_overwritten(
    edited: Path, own: Path, output: Path
) -> None:
    before = contents(edited)
    with pytest.raises(BakeError, match="author_email: "):
        run(ROOT, output, ["--overwrite-if-exists", *command_line(ROOT, own, REJECTED)])
    assert contents(edited) == before


def test_overwriting_replaces_edits_and_keeps_other_files(
    edited: Path, own: Path, output: Path
) -> None:
    """Documented in `SECURITY.md`."""
    other = PLAIN | {"database": "none"}
    run(ROOT, output, ["--overwrite-if-exists", *command_line(ROOT, own, other)])
    assert (edited / "src" / "package" / "mine.py").read_text() == "MINE = True\n"
    assert (edited / ".git" / "refs").is_dir()
    assert (edited / "Makefile").read_text() != "mine:\n"
    assert not (edited / "migrations").exists()
    assert (edited / ".github" / "mine.yml").exists()


@pytest.mark.parametrize("slug", ["a/b", "../a/b"])
def test_a_rejected_slug_does_not_remove_an_existing_folder(
    slug: str, small: SmallTemplate
) -> None:
    project = small.output / slug
    project.mkdir(parents=True)
    (project / "mine").touch()
    arguments = small.arguments("command_line", PLAIN | {"project_slug": slug})
    with pytest.raises(BakeError, match="project_slug: "):
        render(small.template, small.output, ["--overwrite-if-exists", *arguments])
    assert (project / "mine").exists()


def test_paths_can_contain_blanks_quotes_and_other_scripts(
    small: SmallTemplate, tmp_path: Path
) -> None:
    plain = small.render("command_line", PLAIN)
    hard = tmp_path / "O'Brien's \"best\" $HOME; 服务 🚀"
    shutil.copytree(small.template, hard / "template")
    for folder in ("own", "output"):
        (hard / folder).mkdir()
    arguments = command_line(hard / "template", hard / "own", PLAIN)
    assert contents(run(hard / "template", hard / "output", arguments)) == contents(plain)


def test_rendering_works_without_a_home_folder(small: SmallTemplate) -> None:
    arguments = small.arguments("command_line", PLAIN)
    assert run(small.template, small.output, arguments, variables={"HOME": None}).is_dir()


def test_a_read_only_output_folder_is_an_error(small: SmallTemplate) -> None:
    through = []
    if os.geteuid():
        small.output.chmod(0o555)
    else:
        mounted = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
        through = ["unshare", "--mount", "sh", "-c", mounted, str(small.output)]
        if subprocess.run([*through, "true"], capture_output=True, check=False).returncode:
            lack("`unshare --mount` is not permitted")
    with pytest.raises(BakeError, match="Unable to create directory at "):
        run(
            small.template,
            small.output,
            small.arguments("command_line", PLAIN),
            through=through,
        )
    small.output.chmod(0o755)
    assert not list(small.output.iterdir())
