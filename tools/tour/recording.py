"""The recording of a step: the output of its check with and without the bug, and the events."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.pythons import ROOT

from .step import Step

RECORDED = ROOT / "tour" / "recorded"
NOT_AN_EVENT = "not an event: "
"""Precedes a line that is not a JSON object with a name and a time."""


@dataclass(frozen=True)
class Event:
    """An event of a process: a request, or another log line.

    A request has a method, a path and a status; without a response, `name` is the client's error.
    """

    process: int
    seconds: float
    name: str
    method: str | None = None
    path: str | None = None
    duration_ms: float | None = None
    status: int | None = None


@dataclass(frozen=True)
class Process:
    """A process of the service: its command, its exit status, and when it ended."""

    command: str
    end: float
    status: int | None = None


@dataclass(frozen=True)
class Run:
    """A check with the bug or without it."""

    output: list[str]
    processes: list[Process]
    events: list[Event]


@dataclass(frozen=True)
class Recording:
    """Both runs of a check, the patch between them, and the Python version of the service."""

    python: str
    patch: list[str]
    broken: Run
    solved: Run


def path_of(step: Step, folder: Path = RECORDED) -> Path:
    """Return the file of the recording of a step."""
    return folder / f"{step.id}.json"


def run_of(output: str, logged: dict[str, Any]) -> Run:
    """Return a run from the output of a check and the file of the plugin `process_log`."""
    found = [
        (moment, number, event)
        for number, process in enumerate(logged["processes"])
        for moment, event in _events(process["lines"])
    ]
    # Logs have neither requests without a response nor successful probes.
    in_log = Counter(_key(number, event) for _, number, event in found)
    for request in logged["requests"]:
        key = _key(request["process"], request)
        if request["process"] is not None and in_log[key] <= 0:
            found.append((request["time"], request["process"], request))
        in_log[key] -= 1
    found.sort(key=lambda each: each[:2])
    first = found[0][0] if found else 0.0
    processes = [
        Process(each["command"], round((each["end"] or first) - first, 3), each["status"])
        for each in logged["processes"]
    ]
    events = [_event(number, moment - first, fields) for moment, number, fields in found]
    return Run([line.rstrip() for line in output.rstrip().splitlines()], processes, events)


def _events(lines: list[str]) -> list[tuple[float, dict[str, Any]]]:
    """Return the time and the fields of each line; a line without them follows the previous one."""
    found: list[tuple[float, dict[str, Any]]] = []
    for line in lines:
        try:
            fields = json.loads(line)
            found.append((datetime.fromisoformat(fields["ts"]).timestamp(), fields))
        except (ValueError, TypeError, KeyError):
            if found:
                found.append((found[-1][0], {"event": f"{NOT_AN_EVENT}{line.strip()[:20]}"}))
    return found


def _key(process: int | None, fields: dict[str, Any]) -> tuple[object, ...]:
    return process, fields.get("method"), fields.get("path"), fields.get("status")


def _event(process: int, seconds: float, fields: dict[str, Any]) -> Event:
    known = map(fields.get, ("method", "path", "duration_ms", "status"))
    return Event(process, round(seconds, 3), fields["event"], *known)


def write(recording: Recording, path: Path) -> None:
    """Write a recording: one line of the file for each line, process and event."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = asdict(recording)
    for run in (made["broken"], made["solved"]):
        run["events"] = [
            [value for value in event.values() if value is not None] for event in run["events"]
        ]
    path.write_text(f"{_indented(made)}\n", encoding="utf-8")


def _indented(value: Any, indent: str = "") -> str:
    inner = f"{indent}  "
    if isinstance(value, dict) and any(isinstance(each, list | dict) for each in value.values()):
        items = [f"{json.dumps(name)}: {_indented(each, inner)}" for name, each in value.items()]
        return "{\n" + ",\n".join(inner + item for item in items) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + json.dumps(each) for each in value) + f"\n{indent}]"
    return json.dumps(value)


def read(path: Path) -> Recording:
    """Read a recording."""
    made = json.loads(path.read_text(encoding="utf-8"))
    return Recording(made["python"], made["patch"], _run(made["broken"]), _run(made["solved"]))


def _run(made: dict[str, Any]) -> Run:
    return Run(
        made["output"],
        [Process(**each) for each in made["processes"]],
        [Event(*each) for each in made["events"]],
    )
