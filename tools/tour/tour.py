"""Leads a learner through the steps."""

import os
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from .progress import Progress
from .step import Step, read_all
from .workspace import Result, TourError, Workspace

HELP = "For help: `make tour hint`, `make tour solution`. To begin again: `make tour reset`."


class Tour:
    """The steps, the service in `folder`, and the progress, which is kept beside it."""

    def __init__(self, folder: Path) -> None:
        self.steps = read_all()
        self.progress = Progress(folder / "progress.json")
        self.console = Console(highlight=False, soft_wrap=not os.isatty(1))
        self._folder = folder

    def run(self, command: str, number: str) -> None:
        """Run `tour`, `hint`, `solution` or `reset`; raise `TourError` for an unknown step."""
        by_number = {str(step.number): step for step in self.steps}
        if number and number not in by_number:
            raise TourError(f"STEP={number}: give 1 to {len(self.steps)}")
        if not self._folder.exists():
            place = self._path(self._folder)
            self._print(f"Rendering a service into `{place}`, which needs the network once.")
        self.workspace = Workspace.open(self._folder)
        step = by_number[number] if number else self._current()
        if command == "tour":
            self._continue(step, introduce=bool(number))
        else:
            {"hint": self._hint, "solution": self._solution, "reset": self._reset}[command](step)

    def _current(self) -> Step:
        """Return the step that the learner works on; if it is solved, the first unsolved one."""
        unsolved = [step for step in self.steps if step.number not in self.progress.solved]
        branch = self.workspace.branch()
        working = [step for step in unsolved if step.id == branch]
        return [*working, *unsolved, self.steps[-1]][0]

    def _continue(self, step: Step, *, introduce: bool) -> None:
        if introduce or step.id != self.workspace.branch():
            self._introduce(step)
        self.workspace.switch(step)
        result = self.workspace.check(step)
        self._print_output(step, result)
        if result.passed:
            self._finish(step)
        else:
            service = self._path(self.workspace.service)
            self._print(f"Find the bug in `{service}`, fix it, and run `make tour` again. {HELP}")

    def _finish(self, step: Step) -> None:
        self.workspace.keep("Solved")
        self.progress.solve(step.number)
        self._print(f"**Solved.** {step.sections['Remember']}")
        solved, count = len(self.progress.solved), len(self.steps)
        onward = (
            "Continue: `make tour`" if solved < count else "Repeat one: `make tour STEP=1 reset`"
        )
        self._print(f"{solved} of {count} steps are solved. {onward}.")

    def _hint(self, step: Step) -> None:
        self.workspace.switch(step)
        count = self.progress.next_hint(step.id, len(step.hints))
        for number, hint in enumerate(step.hints[:count], 1):
            self._print(f"Hint {number} of {len(step.hints)}: {hint}")

    def _solution(self, step: Step) -> None:
        self.workspace.switch(step)
        self._print(step.sections["Solution"])
        patch = self.workspace.solution(step)
        self.console.print(Syntax(patch, "diff", theme="ansi_dark", background_color="default"))
        service = self._path(self.workspace.service)
        self._print(f"To apply it: `git -C {service} restore --source=main -- .`")

    def _reset(self, step: Step) -> None:
        edited = self.workspace.reset(step)
        self.progress.forget(step.number)
        kept = f" `git stash list` in `{self._path(self.workspace.service)}` lists your edits."
        self._print(f"Step {step.number} begins again.{kept if edited else ''}")

    def _introduce(self, step: Step) -> None:
        self.console.rule(f"Step {step.number} of {len(self.steps)}: {step.title}")
        self._print(f"**{step.factor}.** {step.sections['Factor']}")
        self._print(step.sections["Story"])
        if step.docker:
            service = self._path(self.workspace.service)
            self._print(f"In containers, which needs Docker: `cd {service} && {step.docker}`")

    def _print_output(self, step: Step, result: Result) -> None:
        self._print(f"`pytest {step.check}`")
        style = "green" if result.passed else "red"
        self.console.print(result.output, markup=False, style=style)
        if not result.passed:
            self._print(step.sections["Failure"])

    def _path(self, folder: Path) -> str:
        return os.path.relpath(folder)

    def _print(self, text: str) -> None:
        self.console.print(Markdown(text))
        self.console.print()
