"""The measurements. Service and baseline take turns, since the load of the machine varies."""

import json
import sys
from pathlib import Path

from tools.pythons import ROOT

from .load import CONNECTIONS, Sample, load, place_orders, require_equal_responses
from .processes import run, server_environment
from .report import Row, Target
from .server import Program, Server, serving
from .service import Service, migrated_database, render

STARTS = RENDERS = 7
ORDERS = 100
BASELINE = Path(__file__).with_name("baseline.py")
APPEND = Path(__file__).with_name("append.py")
EVENTS_SECONDS = 300

THROUGHPUT = Target(ratio_at_least=0.5)
LATENCY = Target(ratio_at_most=2)
START = Target(at_most=400)
MEMORY = Target(at_most=75)
RENDERING = Target(at_most=0.5, ratio_at_most=1.3)


def measure_service(service: Service, work: Path, rounds: int, seconds: int) -> list[Row]:
    """Measure the service and the baseline with the same database."""
    with migrated_database(service, work) as url:
        # -P: otherwise modules beside baseline.py would hide libraries of the same name.
        command = [service.python, "-P", str(BASELINE)]
        baseline = Program("baseline", command, service.folder, url)
        command = [service.python, "-m", service.package, "web"]
        web = Program("service", command, service.folder, url)
        _log("start-up")
        starts = [(_start_ms(baseline, work), _start_ms(web, work)) for _ in range(STARTS)]
        with serving(baseline, work) as one, serving(web, work) as other:
            rows = _measure_load((one, other), rounds, seconds)
    return [*rows, Row("start to the first `/livez` 200", "{:.0f} ms", starts, START)]


def measure_events(service: Service, work: Path, rounds: int) -> Row:
    """Measure how fast orders are placed as events; the baseline places them as rows."""
    _log("events")
    with migrated_database(service, work) as url:
        printed = run(
            [service.python, "-P", str(APPEND), str(rounds)],
            folder=service.folder,
            environment=server_environment(database_url=url),
            seconds=EVENTS_SECONDS,
        )
    name = "orders placed by 16 writers as events (baseline: as rows)"
    return Row(name, "{:,.0f}/s", [tuple(pair) for pair in json.loads(printed)])


def measure_rendering(work: Path) -> Row:
    """Measure rendering; the baseline is an empty template."""
    _log("rendering")
    empty = work / "empty"
    (empty / "{{cookiecutter.name}}").mkdir(parents=True)
    (empty / "{{cookiecutter.name}}" / "file").touch()
    (empty / "cookiecutter.json").write_text('{"name": "name"}\n')
    seconds = [
        (render(empty, work / f"empty-{n}"), render(ROOT, work / f"rendered-{n}"))
        for n in range(RENDERS)
    ]
    return Row("rendering (baseline: an empty template)", "{:.2f} s", seconds, RENDERING)


def _start_ms(program: Program, work: Path) -> float:
    with serving(program, work) as server:
        return server.start_ms


def _measure_load(servers: tuple[Server, Server], rounds: int, seconds: int) -> list[Row]:
    baseline, service = servers
    ids = place_orders(service, ORDERS)
    paths = {
        "GET /orders/{id}": f"/orders/{ids[ORDERS // 2]}",
        "GET /orders?limit=10": "/orders?limit=10",
    }
    for path in paths.values():
        require_equal_responses(baseline, service, path)
        for server in servers:
            load(server, path, seconds)
    memory = [(baseline.memory_mib(), service.memory_mib())]
    rows = []
    for name, path in paths.items():
        samples = []
        for number in range(1, rounds + 1):
            samples.append((load(baseline, path, seconds), load(service, path, seconds)))
            ratio = samples[-1][1].per_cpu_second / samples[-1][0].per_cpu_second
            _log(f"{name} {number}/{rounds}: ratio of throughputs {ratio:.2f}")
        rows += _load_rows(name, samples)
    return [*rows, Row("memory after warm-up", "{:.1f} MiB", memory, MEMORY)]


def _load_rows(path: str, samples: list[tuple[Sample, Sample]]) -> list[Row]:
    def pairs(name: str) -> list[tuple[float, float]]:
        return [(getattr(baseline, name), getattr(service, name)) for baseline, service in samples]

    return [
        Row(f"`{path}` per CPU second", "{:,.0f}", pairs("per_cpu_second"), THROUGHPUT),
        Row(f"`{path}` p50, {CONNECTIONS} connections", "{:.1f} ms", pairs("p50_ms")),
        Row(f"`{path}` p99, {CONNECTIONS} connections", "{:.1f} ms", pairs("p99_ms"), LATENCY),
    ]


def _log(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
