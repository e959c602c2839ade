"""`make tour`, `make tour STEP=N`, `make tour hint`, `solution`, `reset`."""

import sys
from pathlib import Path

from tools.pythons import ROOT

from .step import InvalidStepError
from .tour import Tour
from .workspace import TourError

FOLDER = ROOT / "tour" / "service"


def main(command: str, number: str, folder: Path = FOLDER) -> int:
    """Run one command for a step, by default the current one; return 1 after an error."""
    try:
        Tour(folder).run(command, number)
    except (TourError, InvalidStepError) as error:
        print(f"make tour: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
