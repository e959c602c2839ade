"""The rendered service under measurement: rendered, installed, with a migrated database."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from tools.pythons import ROOT, newest_python

from .processes import (
    BenchmarkError,
    one_line,
    run,
    running,
    server_environment,
    tool_environment,
)

RENDER_SECONDS = 60
SETUP_SECONDS = 900
DATABASE_START_SECONDS = 90
DATABASE_STOP_SECONDS = 30
MIGRATE_SECONDS = 60

# Closing standard input stops the server; a signal would stop only the Python process.
DATABASE = """
import signal, sys
from pathlib import Path
from dev.backing_services.postgres import embedded

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with embedded(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Service:
    """A render in which `make setup` was run."""

    folder: Path
    package: str

    @property
    def python(self) -> str:
        """The interpreter that has the dependencies of the service."""
        return str(self.folder / ".venv" / "bin" / "python")


def render(template: Path, output: Path, *answers: str) -> float:
    """Render into the new folder `output`; return the duration of the command in seconds."""
    output.mkdir()
    config = output / "config.yaml"  # Keeps Cookiecutter out of the user's home folder.
    config.write_text(f"replay_dir: {output}/replay\ncookiecutters_dir: {output}/templates\n")
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "--config-file", str(config)]
    command += ["--output-dir", str(output), str(template), *answers]
    environment = tool_environment(output)
    started = time.perf_counter()
    run(command, folder=output, environment=environment, seconds=RENDER_SECONDS)
    return time.perf_counter() - started


def rendered(output: Path, python: str | None, *answers: str) -> Path:
    """Render a service for this Python, by default the newest; return its folder."""
    render(ROOT, output, f"python_version={python or newest_python()}", *answers)
    return next(output.glob("*/pyproject.toml")).parent


def prepare(folder: Path, work: Path) -> Service:
    """Install the dependencies of a render and compile their bytecode, as its image does."""
    mains = list(folder.glob("src/*/__main__.py"))
    if len(mains) != 1 or not (folder / "dev" / "backing_services" / "postgres.py").exists():
        raise BenchmarkError(f"{folder} is not a rendered service with PostgreSQL")
    service = Service(folder, mains[0].parent.name)
    setup = ["make", "setup"]
    if "UV" in os.environ:
        setup.append(f"UV={os.environ['UV']}")
    # Unlike in the image, bytecode is checked against its source, which may still be edited.
    compile_all = [service.python, "-m", "compileall", "-q", ".venv", "src"]
    for command in (setup, compile_all):
        run(command, folder=folder, environment=tool_environment(work), seconds=SETUP_SECONDS)
    return service


@contextmanager
def migrated_database(service: Service, work: Path) -> Iterator[str]:
    """Run the service's embedded PostgreSQL with empty tables; yield its URL."""
    log = work / "database.log"
    command = [service.python, "-c", DATABASE, str(work / "database")]
    with (
        log.open("wb") as errors,
        running(
            command,
            folder=service.folder,
            environment=server_environment(),
            output=PIPE,
            errors=errors,
        ) as process,
    ):
        assert process.stdin  # noqa: S101  # A pipe, for the type checker.
        assert process.stdout  # noqa: S101  # Likewise.
        url = ""
        if select.select([process.stdout], [], [], DATABASE_START_SECONDS)[0]:
            url = process.stdout.readline().decode().strip()
        if not url.startswith("postgresql:"):
            raise BenchmarkError(f"embedded PostgreSQL did not start: {one_line(log.read_text())}")
        try:
            migrate = [service.python, "-m", service.package, "migrate"]
            environment = server_environment(database_url=url)
            run(migrate, folder=service.folder, environment=environment, seconds=MIGRATE_SECONDS)
            yield url
        finally:
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(DATABASE_STOP_SECONDS)
