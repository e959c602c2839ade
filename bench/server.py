"""A server process under measurement: its start-up time, CPU time and memory."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .processes import BenchmarkError, one_line, running, server_environment

ADDRESS = "127.0.0.1"
START_SECONDS = 60
RESPONSE_SECONDS = 5
POLL_SECONDS = 0.002
LIVENESS = b"GET /livez HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Below the ephemeral ports: polling an ephemeral port that nobody listens on can connect the
# socket to itself.
PORTS = range(20_000, 30_000)


@dataclass(frozen=True, slots=True)
class Program:
    """The command that starts a server."""

    name: str
    command: list[str]
    folder: Path
    database_url: str


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    port: int
    pid: int
    start_ms: float

    def cpu_seconds(self) -> float:
        """Return the CPU time of all threads since the start."""
        # Field 2 of proc_pid_stat(5) is a name that may hold spaces; 14 and 15 are utime and stime.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def memory_mib(self) -> float:
        """Return the resident memory (RSS) in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def serving(program: Program, work: Path) -> Iterator[Server]:
    """Run a server until the block ends; `/livez` has succeeded when the block begins."""
    port, metrics_port = _free_ports(2)
    environment = server_environment(
        host=ADDRESS,
        port=port,
        metrics_port=metrics_port,
        drain_seconds=0,
        database_url=program.database_url,
    )
    log = work / f"{program.name}.log"
    with log.open("wb") as output:
        started = time.perf_counter()
        with running(
            program.command, folder=program.folder, environment=environment, output=output
        ) as process:
            _wait_until_live(process, port, log)
            start_ms = (time.perf_counter() - started) * 1000
            yield Server(program.name, port, process.pid, start_ms)


def _wait_until_live(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if _live(port):
            return
        time.sleep(POLL_SECONDS)
    status = process.poll()
    reason = f"no response in {START_SECONDS} s" if status is None else f"exit status {status}"
    raise BenchmarkError(f"{log.stem} did not start: {reason}, {one_line(log.read_text())}")


def _live(port: int) -> bool:
    try:
        with socket.create_connection((ADDRESS, port), timeout=RESPONSE_SECONDS) as connection:
            connection.sendall(LIVENESS)
            return connection.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    for port in PORTS[os.getpid() % len(PORTS) :]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise BenchmarkError("no free ports")
