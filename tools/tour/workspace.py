"""The service that the learner edits: one git branch for each step, so that no edit is lost."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cookiecutter.main import cookiecutter

from tools.pythons import ROOT, UV, newest_python, outside

from .step import Step

RIGHT = "main"
"""The branch of the service without bugs."""
PYTEST = ("-m", "pytest", "--quiet", "--no-header", "--tb=short", "--show-capture=no")
TIMEOUT_SECONDS = 15
"""Of an operation of a check; these take a fraction of a second."""
CHECK_SECONDS = 60
"""After which a check has failed, since the service hangs."""
LIBRARY_FRAME = re.compile(r"(?m)^(?:/|\.venv/)\S+:\d+: in .*\n(?: {4}.*\n| +\^+ *\n)*")
"""An entry of a traceback outside the service, as `--tb=short` prints it."""


class TourError(Exception):
    """Shown to the learner in one line."""


@dataclass(frozen=True)
class Result:
    """What a check printed, without the frames of libraries, and whether it passed."""

    passed: bool
    output: str


@dataclass(frozen=True)
class Workspace:
    """A rendered and installed service in a git repository."""

    service: Path

    @classmethod
    def open(cls, folder: Path) -> "Workspace":
        """Return the workspace in a folder; render and install the service if there is none."""
        for service in folder.glob("*/.git"):
            return cls(service.parent)
        made = cookiecutter(
            str(ROOT),
            no_input=True,
            extra_context={"python_version": newest_python()},
            output_dir=str(folder),
            overwrite_if_exists=True,
        )
        workspace = cls(Path(made))
        workspace._run("make", f"UV={UV}", "setup")
        workspace._git("init", "--quiet", f"--initial-branch={RIGHT}")
        workspace._commit("The service without bugs")
        return workspace

    def branch(self) -> str:
        """Return the current branch: `main`, or the id of a step."""
        return self._git("branch", "--show-current").strip()

    def has(self, step: Step) -> bool:
        """Return whether a step was begun."""
        return bool(self._git("branch", "--list", step.id).strip())

    def switch(self, step: Step) -> None:
        """Commit the edits of another step, then continue this one, or begin it with its bug."""
        if self.branch() == step.id:
            return
        self.keep("Edits")
        if self.has(step):
            self._git("switch", "--quiet", step.id)
            return
        self._git("switch", "--quiet", RIGHT)
        self._git("switch", "--quiet", "--create", step.id)
        self._put_in(step)

    def keep(self, message: str) -> None:
        """Commit the edits on the branch of their step."""
        if self._git("status", "--porcelain"):
            self._commit(message)

    def reset(self, step: Step) -> bool:
        """Begin a step again; return whether there were edits, which `git stash` keeps."""
        self.switch(step)
        edited = bool(self._git("status", "--porcelain"))
        if edited:
            self._git("stash", "push", "--quiet", "--include-untracked")
        self._git("reset", "--quiet", "--hard", RIGHT)
        self._put_in(step)
        return edited

    def solution(self, step: Step) -> str:
        """Return the difference between the bug and the service without it, as a patch."""
        first = self._git("log", "--format=%H", "--reverse", f"{RIGHT}..{step.id}").split()[0]
        return self._git("diff", "--no-color", first, RIGHT)

    def check(self, step: Step, *options: str, **variables: str) -> Result:
        """Run the check of a step on the files as they are now, with these options of pytest."""
        python = self.service / ".venv" / "bin" / "python"
        environment = outside() | {
            "CONFORMANCE_DOCKER": "no",
            "TEST_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
            **variables,
        }
        try:
            done = subprocess.run(
                [python, *PYTEST, *options, step.check],
                cwd=self.service,
                env=environment,
                capture_output=True,
                text=True,
                timeout=CHECK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(False, f"The check did not end within {CHECK_SECONDS} seconds.")
        output = LIBRARY_FRAME.sub("", done.stdout + done.stderr)
        return Result(done.returncode == 0, output.replace(f"{self.service}/", ""))

    def _put_in(self, step: Step) -> None:
        try:
            step.mutant.apply(self.service)
        except LookupError as error:
            raise TourError(f"{error}: is the service older than the template? Delete it") from None
        self._commit(f"Step {step.number}: find the bug")

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--no-verify", f"--message={message}")

    def _git(self, *arguments: str) -> str:
        author = ("-c", "user.name=Learner", "-c", "user.email=learner@example.com")
        return self._run("git", *author, *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.service, env=outside(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            printed = " ".join((done.stderr or done.stdout).split())
            raise TourError(f"{' '.join(command)}: {printed}")
        return done.stdout
