"""The tour: each step fails with its bug, passes with its solution, and can begin again."""

import subprocess
from pathlib import Path

import pytest

from tests.support.commands import run
from tests.support.template_releases import git
from tools.pythons import ROOT
from tools.tour.__main__ import FOLDER, main
from tools.tour.step import Step, read_all
from tools.tour.workspace import Workspace

ALL = read_all()
SIX = next(step for step in ALL if step.number == 6)
STORE = "src/order_service/orders/postgres.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tour") / "service"


@pytest.fixture(scope="module")
def workspace(folder: Path) -> Workspace:
    return Workspace.open(folder)


@pytest.fixture
def terminal(
    folder: Path,
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> "Terminal":
    """Return a learner's terminal, with the progress of nobody."""
    monkeypatch.setenv("COLUMNS", "200")
    (folder / "progress.json").unlink(missing_ok=True)
    git(workspace.service, "switch", "--quiet", "main")
    return Terminal(folder, capsys)


class Terminal:
    """Runs the commands of the tour, as `make` does."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def make(self, command: str, number: str = "") -> str:
        """Run a command that succeeds; return its output."""
        self._capsys.readouterr()
        assert main(command, number, self.folder) == 0
        return self._capsys.readouterr().out

    def fails(self, command: str, number: str = "") -> str:
        """Run a command that fails; return its error, which must be one line."""
        assert main(command, number, self.folder) == 1
        (line,) = self._capsys.readouterr().err.splitlines()
        return line


def contents(service: Path) -> dict[str, str]:
    """Return the hash of each file that git does not ignore."""
    git(service, "add", "--all")
    lines = git(service, "ls-files", "--stage").splitlines()
    return {line.split("\t")[1]: line.split()[1] for line in lines}


pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tour")]


@pytest.mark.parametrize("step", ALL, ids=[step.id for step in ALL])
def test_a_step_fails_with_its_bug_passes_with_its_solution_and_begins_again(
    workspace: Workspace, step: Step
) -> None:
    workspace.switch(step)
    broken = contents(workspace.service)
    failed = workspace.check(step)
    assert not failed.passed
    assert f"FAILED {step.check}" in failed.output
    assert str(workspace.service) not in failed.output
    patch = workspace.solution(step)
    subprocess.run(["git", "apply"], cwd=workspace.service, input=patch, text=True, check=True)
    solved = workspace.check(step)
    assert solved.passed, solved.output
    assert "1 passed" in solved.output
    assert workspace.reset(step)
    assert contents(workspace.service) == broken


def test_a_learner_gets_hints_and_a_solution_fixes_the_bug_and_continues(
    terminal: Terminal, workspace: Workspace
) -> None:
    begun = terminal.make("tour", "6")
    for text in ("Step 6 of 12: No sticky sessions", "404 == 200", "Find the bug in "):
        assert text in begun
    assert "Hint 2" not in terminal.make("hint")
    assert "Hint 2 of 3" in terminal.make("hint")
    assert "-        return self._recent.get(order_id)" in terminal.make("solution")
    assert "Step 6 of 12" not in terminal.make("tour")
    git(workspace.service, "restore", "--source=main", "--", ".")
    solved = terminal.make("tour")
    assert "Solved." in solved
    assert "1 of 12 steps are solved" in solved
    assert "Step 1 of 12" in terminal.make("tour")
    assert "Step 6 begins again." in terminal.make("reset", "6")
    assert "404 == 200" in terminal.make("tour")


def test_the_edits_of_a_step_are_kept_while_the_learner_is_at_another(
    terminal: Terminal, workspace: Workspace
) -> None:
    terminal.make("reset", "6")
    edited = workspace.service / STORE
    edited.write_text("# Mine.\n" + edited.read_text())
    new = workspace.service / "notes.txt"
    new.write_text("mine")
    terminal.make("hint", "7")
    assert not new.exists()
    assert not edited.read_text().startswith("# Mine.")
    terminal.make("hint", "6")
    assert edited.read_text().startswith("# Mine.")
    assert new.read_text() == "mine"


def test_a_reset_puts_edits_into_the_stash(terminal: Terminal, workspace: Workspace) -> None:
    terminal.make("reset", "6")
    edited = workspace.service / STORE
    edited.write_text("# Mine.\n")
    assert "git stash list" in terminal.make("reset", "6")
    assert not edited.read_text().startswith("# Mine.")
    assert "+# Mine." in git(workspace.service, "stash", "show", "--patch")


def test_errors_are_one_line(terminal: Terminal, workspace: Workspace) -> None:
    assert terminal.fails("tour", "13") == "make tour: STEP=13: give 1 to 12"
    assert terminal.fails("hint", "six") == "make tour: STEP=six: give 1 to 12"
    (terminal.folder / "progress.json").write_text("[]")
    assert terminal.fails("tour").endswith("progress.json is not valid: delete it to begin again")
    (terminal.folder / "progress.json").unlink()
    git(workspace.service, "branch", "--quiet", "--force", "--delete", SIX.id)
    (workspace.service / STORE).write_text("")
    git(workspace.service, "commit", "--quiet", "--all", "--message", "Another template")
    try:
        assert "is the service older than the template?" in terminal.fails("tour", "6")
    finally:
        git(workspace.service, "switch", "--quiet", "main")
        git(workspace.service, "reset", "--quiet", "--hard", "HEAD~1")


def test_make_passes_the_command_and_the_step() -> None:
    done = run("make", "--dry-run", "tour", "hint", "STEP=6", cwd=ROOT)
    assert done.stdout.count("tools.tour") == 1
    assert 'tools.tour hint "6"' in done.stdout
    done = run("make", "tour", "STEP=six", cwd=ROOT)
    assert done.stderr.startswith("make tour: STEP=six: give 1 to 12\n")
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert f"/{FOLDER.relative_to(ROOT)}/" in ignored
