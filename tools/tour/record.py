"""`make tour-record`: run the check of each step with and without its bug, and record both."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.pythons import ROOT, newest_python

from .process_log import FILE
from .recording import Recording, Run, path_of, run_of, write
from .step import InvalidStepError, Step, read_all
from .workspace import TourError, Workspace

PLUGIN = Path(__file__).with_name("process_log.py")
ABSOLUTE = re.compile(r"(?<![\w.])/(?:bin|home|opt|private|root|srv|tmp|usr|var|Users)/\S*")
"""The paths of a machine; those of requests, such as `/orders`, are not."""


class Recorder:
    """Records steps in a workspace, apart from the one of the learner."""

    def __init__(self, folder: Path) -> None:
        self._workspace = Workspace.open(folder / "workspace")
        self._log = folder / "log.json"

    def record(self, step: Step) -> Recording:
        """Run the check with the bug, which must fail, and then without it."""
        self._workspace.switch(step)
        patch = self._workspace.solution(step)
        broken = self._check(step, passes=False)
        service = self._workspace.service
        subprocess.run(["git", "apply"], cwd=service, input=patch, text=True, check=True)
        solved = self._check(step, passes=True)
        return Recording(newest_python(), patch.splitlines(), broken, solved)

    def _check(self, step: Step, *, passes: bool) -> Run:
        variables = {"PYTHONPATH": str(PLUGIN.parent), FILE: str(self._log)}
        result = self._workspace.check(step, "-p", PLUGIN.stem, **variables)
        if result.passed != passes:
            wrong = "fails without the bug" if passes else "passes with the bug"
            raise TourError(f"{step.id}: {step.check} {wrong}\n{result.output}")
        run = run_of(result.output, json.loads(self._log.read_text(encoding="utf-8")))
        texts = [*run.output, *(f"{each.name} {each.path}" for each in run.events)]
        if found := machine_path("\n".join(texts)):
            raise TourError(f"{step.id}: a path of this machine is in the output: {found}")
        return run


def machine_path(text: str) -> str | None:
    """Return a path of this machine in a text."""
    places = map(re.escape, (str(ROOT), str(Path.home()), tempfile.gettempdir(), sys.base_prefix))
    found = ABSOLUTE.search(text) or re.search("|".join(places), text)
    return found and found[0]


def main(number: str) -> int:
    """Record all steps, or one by its number."""
    try:
        steps = [step for step in read_all() if number in {"", str(step.number)}]
    except InvalidStepError as error:
        print(f"make tour-record: {error}", file=sys.stderr)
        return 1
    if not steps:
        print(f"make tour-record: no step {number}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        try:
            recorder = Recorder(Path(folder))
            for step in steps:
                print(f"{step.id}: {step.check}", flush=True)
                write(recorder.record(step), path_of(step))
        except TourError as error:
            print(f"make tour-record: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
