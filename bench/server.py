"""One server process under measurement: when it first answers, what it costs."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .commands import UnmeasurableError, one_line, running
from .environments import for_servers

ADDRESS = "127.0.0.1"
START_SECONDS = 60
ANSWER_SECONDS = 5
POLL_SECONDS = 0.002
ALIVE = b"GET /livez HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Below the ports of outgoing connections: a connection to a port that nobody listens on yet
# could otherwise be given that same port, and so reach itself.
PORTS = range(20_000, 30_000)


@dataclass(frozen=True, slots=True)
class Program:
    """How a server is started."""

    name: str
    command: list[str]
    folder: Path
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that has answered."""

    name: str
    port: int
    pid: int
    start_ms: float

    def cpu_seconds(self) -> float:
        """Return the processor time of all its threads since it started."""
        # Field 2 of proc_pid_stat(5) is a name that may hold spaces; 14 and 15 are utime and stime.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def memory_mib(self) -> float:
        """Return the memory that it holds (RSS), in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def serving(program: Program, work: Path) -> Iterator[Server]:
    """Run a server until the block ends; it has answered `/livez` when the block begins."""
    port, metrics_port = _free_ports(2)
    environment = for_servers(
        host=ADDRESS, port=port, metrics_port=metrics_port, drain_seconds=0, **program.settings
    )
    log = work / f"{program.name}.log"
    with log.open("wb") as output:
        started = time.perf_counter()
        with running(
            program.command, folder=program.folder, environment=environment, output=output
        ) as process:
            _wait_until_alive(process, port, log)
            start_ms = (time.perf_counter() - started) * 1000
            yield Server(program.name, port, process.pid, start_ms)


def _wait_until_alive(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _alive(port):
            return
        time.sleep(POLL_SECONDS)
    ended = process.poll()
    how = f"no answer in {START_SECONDS} s" if ended is None else f"it ended with {ended}"
    raise UnmeasurableError(f"the {log.stem} does not start: {how}, {one_line(log.read_text())}")


def _alive(port: int) -> bool:
    try:
        with socket.create_connection((ADDRESS, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(ALIVE)
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
    raise UnmeasurableError("there are no free ports")
