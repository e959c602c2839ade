"""The rendered service, its dependencies installed and its bytecode compiled as in its image."""

import os
from dataclasses import dataclass
from pathlib import Path

from .commands import UnmeasurableError, run
from .environments import for_tools

SETUP_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Service:
    """A folder in which `make setup` has been run."""

    folder: Path
    package: str

    @property
    def python(self) -> str:
        """The interpreter that has the dependencies of the service."""
        return str(self.folder / ".venv" / "bin" / "python")


def prepare(folder: Path, work: Path) -> Service:
    """Install and compile the service in `folder`."""
    mains = list(folder.glob("src/*/__main__.py"))
    if len(mains) != 1 or not (folder / "dev" / "postgres.py").exists():
        raise UnmeasurableError(f"{folder} holds no rendered service with PostgreSQL")
    service = Service(folder, mains[0].parent.name)
    setup = ["make", "setup"]
    if "UV" in os.environ:  # The one that runs this benchmark.
        setup.append(f"UV={os.environ['UV']}")
    # Not with the flags of the image: edits of this folder are still to be seen afterwards.
    compile_all = [service.python, "-m", "compileall", "-q", ".venv", "src"]
    for command in (setup, compile_all):
        run(command, folder=folder, environment=for_tools(work), seconds=SETUP_SECONDS)
    return service
