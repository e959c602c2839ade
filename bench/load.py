"""Load on one path of one server: what a request costs there, and how long it takes."""

import re
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from .commands import UnmeasurableError, run
from .environments import for_servers
from .server import ADDRESS, Server

CONNECTIONS = 32
MARGIN_SECONDS = 30
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round of load found."""

    per_cpu_second: float
    p50_ms: float
    p99_ms: float


def require_wrk() -> None:
    """Say so where the load generator is missing."""
    if which("wrk") is None:
        raise UnmeasurableError("wrk is missing; Debian has it in the package wrk")


def load(server: Server, path: str, seconds: int) -> Sample:
    """Send as many requests as the server takes; every one must be answered, and with success."""
    url = f"http://{ADDRESS}:{server.port}{path}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", url]
    before = server.cpu_seconds()
    said = run(
        command, folder=Path.cwd(), environment=for_servers(), seconds=seconds + MARGIN_SECONDS
    )
    spent = server.cpu_seconds() - before
    if errors := re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", said):
        raise UnmeasurableError(f"GET {path} of the {server.name}: {errors[0]}")
    requests = int(_find(r"(\d+) requests in", said)[1])
    if not requests or not spent:
        raise UnmeasurableError(f"GET {path} of the {server.name}: {requests} requests, {spent} s")
    return Sample(requests / spent, _percentile(50, said), _percentile(99, said))


def _percentile(percent: int, said: str) -> float:
    found = _find(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", said)
    return float(found[1]) * MILLISECONDS[found[2]]


def _find(pattern: str, said: str) -> re.Match[str]:
    found = re.search(pattern, said, re.MULTILINE)
    if found is None:
        raise UnmeasurableError(f"wrk says nothing like {pattern}: {said}")
    return found
