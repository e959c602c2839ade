"""An installed service and its processes."""

import json
import queue
import random
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Self

import httpx

from tools.pythons import UV, outside

from .commands import must_run

TIMEOUT_SECONDS = 30
"""Time limit of operations that normally take a fraction of a second."""


def until(condition: Callable[[], bool], seconds: float = TIMEOUT_SECONDS) -> None:
    """Poll a condition until it is true."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end


def free_ports(count: int) -> list[int]:
    """Return unused ports below the ephemeral ports, which outgoing connections occupy."""
    found = set[int]()
    while len(found) < count:
        port = random.randrange(20_000, 30_000)  # noqa: S311  # Not a secret.
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.add(port)
    return list(found)


@dataclass(frozen=True)
class Installed:
    """A rendered service with its dependencies installed in `.venv`."""

    folder: Path
    package: str

    @property
    def python(self) -> str:
        return str(self.folder / ".venv" / "bin" / "python")

    def environment(self, **variables: object) -> dict[str, str]:
        """Return an environment with no settings of the service other than these."""
        return {"PATH": outside()["PATH"]} | {k.upper(): str(v) for k, v in variables.items()}

    def run(self, *arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
        """Run a command of the service to its end."""
        return subprocess.run(
            [self.python, "-m", self.package, *arguments],
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )


def install(folder: Path) -> Installed:
    """Run `make setup` in a new render."""
    must_run("make", f"UV={UV}", "setup", cwd=folder)
    (package,) = (path.parent.name for path in folder.glob("src/*/__main__.py"))
    return Installed(folder, package)


class Web:
    """A web process on free ports; leaving the context kills it."""

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
        """Wait for a log event with these fields."""
        wanted = {"event": event, **fields}
        while not wanted.items() <= self._events.get(timeout=TIMEOUT_SECONDS).items():
            pass

    def wait_until_ready(self) -> None:
        until(lambda: self.get("/readyz").status_code == 200)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=TIMEOUT_SECONDS)

    def place(self, item: str, **headers: str) -> httpx.Response:
        """Place an order."""
        body = {"item": item, "quantity": 1}
        return httpx.post(
            f"{self.url}/orders",
            json=body,
            headers={k.replace("_", "-"): v for k, v in headers.items()},
            timeout=TIMEOUT_SECONDS,
        )

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.process.terminate()
        return self.process.wait(TIMEOUT_SECONDS)


class Worker(Web):
    """A worker process, which serves its health endpoints on the metrics port."""

    command = "worker"

    def __init__(self, service: Installed, **variables: object) -> None:
        super().__init__(service, **variables)
        self.url = self.metrics_url

    def jobs_done(self) -> int:
        """Return the number of jobs in the log."""
        return sum(line["event"] == "job" for line in list(self.lines))
