"""What is measured, in which order: both servers take turns, so that both meet the same machine."""

import sys
from pathlib import Path

from .database import migrated_database
from .figures import Figure, Target
from .load import CONNECTIONS, Sample, load
from .orders import place, require_same_answers
from .prepared import Service
from .rendering import render_seconds
from .server import Program, Server, serving

STARTS = RENDERS = 7
ORDERS = 100
LIMIT = Path(__file__).with_name("limit.py")

THROUGHPUT = Target(ratio_at_least=0.5)
LATENCY = Target(ratio_at_most=2)
START = Target(at_most=400)
MEMORY = Target(at_most=75)
RENDERING = Target(at_most=0.5, ratio_at_most=1.3)


def measure_service(service: Service, work: Path, rounds: int, seconds: int) -> list[Figure]:
    """Measure the service and the limit on one database."""
    with migrated_database(service, work) as url:
        settings = {"database_url": url}
        # -P: no module beside that of the limit is to stand in for one of a library.
        command = [service.python, "-P", str(LIMIT)]
        limit = Program("limit", command, service.folder, settings)
        command = [service.python, "-m", service.package, "web"]
        web = Program("service", command, service.folder, settings)
        _say("starting both in turn")
        starts = [(_start_ms(limit, work), _start_ms(web, work)) for _ in range(STARTS)]
        with serving(limit, work) as one, serving(web, work) as other:
            figures = _measure_load((one, other), rounds, seconds)
    return [*figures, Figure("start to the first `/livez` 200", "{:.0f} ms", starts, START)]


def measure_rendering(work: Path) -> Figure:
    """Measure the command that renders, against an empty template."""
    _say("rendering in turn")
    name = "rendering (limit: an empty template)"
    return Figure(name, "{:.2f} s", list(render_seconds(RENDERS, work)), RENDERING)


def _start_ms(program: Program, work: Path) -> float:
    with serving(program, work) as server:
        return server.start_ms


def _measure_load(servers: tuple[Server, Server], rounds: int, seconds: int) -> list[Figure]:
    limit, service = servers
    ids = place(service, ORDERS)
    paths = {
        "GET /orders/{id}": f"/orders/{ids[ORDERS // 2]}",
        "GET /orders?limit=10": "/orders?limit=10",
    }
    for path in paths.values():
        require_same_answers(limit, service, path)
        for server in servers:
            load(server, path, seconds)
    memory = [(limit.memory_mib(), service.memory_mib())]
    figures = []
    for name, path in paths.items():
        samples = [
            _round(f"{name} {n + 1}/{rounds}", servers, path, seconds) for n in range(rounds)
        ]
        figures += _figures(name, samples)
    return [*figures, Figure("memory after warm-up", "{:.1f} MiB", memory, MEMORY)]


def _round(
    title: str, servers: tuple[Server, Server], path: str, seconds: int
) -> tuple[Sample, Sample]:
    limit, service = (load(server, path, seconds) for server in servers)
    ours, theirs = service.per_cpu_second, limit.per_cpu_second
    _say(f"{title}: {ours:,.0f} of {theirs:,.0f} requests per CPU second, {ours / theirs:.2f}")
    return limit, service


def _figures(path: str, samples: list[tuple[Sample, Sample]]) -> list[Figure]:
    def pairs(name: str) -> list[tuple[float, float]]:
        return [(getattr(limit, name), getattr(service, name)) for limit, service in samples]

    return [
        Figure(f"`{path}` per CPU second", "{:,.0f}", pairs("per_cpu_second"), THROUGHPUT),
        Figure(f"`{path}` p50, {CONNECTIONS} connections", "{:.1f} ms", pairs("p50_ms")),
        Figure(f"`{path}` p99, {CONNECTIONS} connections", "{:.1f} ms", pairs("p99_ms"), LATENCY),
    ]


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
