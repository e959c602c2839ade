"""The progress of a learner, kept in a file."""

import json
from pathlib import Path

from .workspace import TourError


class Progress:
    """The numbers of the solved steps, and how many hints of each step were shown."""

    def __init__(self, path: Path) -> None:
        """Read the file, if there is one; raise `TourError` if it is not valid."""
        self._path = path
        self.solved: list[int] = []
        self.hints: dict[str, int] = {}
        if path.exists():
            try:
                kept = json.loads(path.read_text(encoding="utf-8"))
                self.solved, self.hints = kept["solved"], kept["hints"]
            except (ValueError, TypeError, KeyError):
                raise TourError(f"{path} is not valid: delete it to begin again") from None

    def solve(self, number: int) -> None:
        """Record that a step is solved."""
        if number not in self.solved:
            self.solved.append(number)
            self._keep()

    def forget(self, number: int) -> None:
        """Record that a step is not solved."""
        self.solved = [solved for solved in self.solved if solved != number]
        self._keep()

    def next_hint(self, step: str, most: int) -> int:
        """Return how many hints of a step to show: one more than before, at most all."""
        self.hints[step] = min(self.hints.get(step, 0) + 1, most)
        self._keep()
        return self.hints[step]

    def _keep(self) -> None:
        made = json.dumps({"solved": self.solved, "hints": self.hints}, indent=2)
        self._path.write_text(f"{made}\n", encoding="utf-8")
