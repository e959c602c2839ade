"""The one PostgreSQL behind both servers: the one that the rendered service brings along."""

import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen

from .commands import UnmeasurableError, one_line, run, running
from .environments import for_servers
from .prepared import Service

START_SECONDS = 90
STOP_SECONDS = 30
MIGRATE_SECONDS = 60

KEEP_RUNNING = """
import signal, sys
from pathlib import Path
from dev.backing_services.postgres import embedded

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with embedded(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def migrated_database(service: Service, work: Path) -> Iterator[str]:
    """Run a PostgreSQL with the service's tables and no rows; yield its URL."""
    log = work / "database.log"
    command = [service.python, "-c", KEEP_RUNNING, str(work / "database")]
    with (
        log.open("wb") as errors,
        running(
            command, folder=service.folder, environment=for_servers(), output=PIPE, errors=errors
        ) as process,
    ):
        try:
            url = _first_line(process, log)
            migrate = [service.python, "-m", service.package, "migrate"]
            environment = for_servers(database_url=url)
            run(migrate, folder=service.folder, environment=environment, seconds=MIGRATE_SECONDS)
            yield url
        finally:
            _stop(process)


def _first_line(process: Popen[bytes], log: Path) -> str:
    line = ""
    if process.stdout and select.select([process.stdout], [], [], START_SECONDS)[0]:
        line = process.stdout.readline().decode().strip()
    if not line.startswith("postgresql:"):
        raise UnmeasurableError(
            f"the embedded PostgreSQL does not start: {one_line(log.read_text())}"
        )
    return line


def _stop(process: Popen[bytes]) -> None:
    """Let it stop its server by itself, which no signal to it alone would."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):  # It is ended anyway, right after.
        process.wait(STOP_SECONDS)
