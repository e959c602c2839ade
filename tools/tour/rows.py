"""Rows and columns of a timeline: events in order, similar requests merged if there are many."""

import re
from dataclasses import dataclass, replace
from itertools import groupby

from .recording import Event, Run

MAX_ROWS = 14
SLOW_MS = 100
"""Shorter durations are not shown."""
KILLED = -9
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Row:
    """Events of one process that look the same."""

    process: int
    seconds: float
    text: str
    short: str
    """For narrow columns."""
    shape: str
    """`event`, or the class of the responses: `2xx`, `4xx`, `5xx`, or `none` without a response."""
    count: int = 1
    slowest_ms: float = 0

    @property
    def is_request(self) -> bool:
        """Return whether these are requests."""
        return self.shape != "event"

    @property
    def duration(self) -> str:
        """Return how long the slowest request took, if that is worth a label."""
        if self.slowest_ms < SLOW_MS:
            return ""
        slowest = f"{self.slowest_ms / 1000:.1f} s"
        return slowest if self.count == 1 else f"up to {slowest}"


def rows_of(run: Run) -> list[Row]:
    """Return the rows of a run; merge as much as necessary, but never beyond other events."""
    single = [_row(event) for event in _with_ends(run)]
    if len(single) <= MAX_ROWS:
        return single
    merged = [_merged(list(group)) for _, group in groupby(single, key=_alike)]
    if len(merged) <= MAX_ROWS:
        return merged
    return [row for stretch in _stretches(single) for row in _by_label(stretch)]


def _with_ends(run: Run) -> list[Event]:
    """Add the ends of processes that were killed before others, or that exited with an error."""
    last = max((event.seconds for event in run.events), default=0.0)
    ends = [
        Event(
            number,
            each.end,
            "killed by the check" if each.status == KILLED else f"exit status {each.status}",
        )
        for number, each in enumerate(run.processes)
        if each.status and not (each.status == KILLED and each.end >= last)
    ]
    return sorted([*run.events, *ends], key=lambda event: event.seconds)


def _row(event: Event) -> Row:
    if not event.method:
        return Row(event.process, event.seconds, event.name, event.name, "event")
    path = UUID.sub("…", event.path or "")
    response, shape = str(event.status), f"{str(event.status)[0]}xx"
    if not event.status:
        response, shape = event.name, "none"
    texts = (f"{event.method} {path} {response}", f"{event.method} {response}")
    return Row(event.process, event.seconds, *texts, shape, slowest_ms=event.duration_ms or 0)


def _alike(row: Row) -> tuple[int, str, str]:
    return row.process, row.shape, row.text


def _merged(alike: list[Row]) -> Row:
    slowest = max(row.slowest_ms for row in alike)
    return replace(alike[0], count=len(alike), slowest_ms=slowest)


def _stretches(single: list[Row]) -> list[list[Row]]:
    """Split before and after each row that is not a request."""
    return [list(group) for _, group in groupby(single, key=lambda row: row.is_request)]


def _by_label(stretch: list[Row]) -> list[Row]:
    """Merge the requests of a stretch with the same label, in the order of the first ones."""
    alike: dict[tuple[int, str, str], list[Row]] = {}
    for row in stretch:
        alike.setdefault(_alike(row), []).append(row)
    return [_merged(group) for group in alike.values()]


def names_of(run: Run) -> list[str]:
    """Return the command of each process, with a number if there are several processes."""
    commands = [process.command for process in run.processes]
    if len(commands) < 2:
        return commands
    return [f"{command} {number}" for number, command in enumerate(commands, 1)]


def columns_of(run: Run, rows: list[Row]) -> list[int]:
    """Return the column of each process; processes that follow each other share one."""
    starts = {row.process: row.seconds for row in reversed(rows)}
    ends: list[float] = []
    columns = []
    for number, process in enumerate(run.processes):
        start = starts.get(number, process.end)
        free = [column for column, end in enumerate(ends) if end <= start]
        column = free[0] if free else len(ends)
        ends[column : column + 1] = [process.end]
        columns.append(column)
    return columns
