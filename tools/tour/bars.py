"""Bars for the measurements of a check that have bounds, with the bug and without it."""

import re
from dataclasses import dataclass
from html import escape

from .recording import Recording, Run
from .timeline import LETTER_WIDTH, WIDTH

MEASURED = re.compile(r" {4}(?P<name>.+): (?P<value>[\d.,e+-]+) ?(?P<unit>.*?) \((?P<bounds>.*)\)")
"""A line of the report, such as `    failed: 8 requests (at most 0)`."""
BOUND = re.compile(r"(at least|at most) ([\d.e+-]+)")
LEFT = 92
ROW, TITLE, GAP = 22, 24, 14


@dataclass(frozen=True)
class Measurement:
    """A value with its unit and its bounds, as the report prints them."""

    value: float
    text: str
    bounds: str

    @property
    def limits(self) -> list[float]:
        """The bounds as numbers."""
        return [float(number) for _, number in BOUND.findall(self.bounds)]

    @property
    def is_met(self) -> bool:
        """Return whether the value is within its bounds."""
        return all(
            self.value >= float(number) if word == "at least" else self.value <= float(number)
            for word, number in BOUND.findall(self.bounds)
        )


def measurements(run: Run) -> dict[str, Measurement]:
    """Return the measurements of a run that have bounds, by name."""
    found = filter(None, map(MEASURED.fullmatch, run.output))
    return {
        each["name"]: Measurement(
            float(each["value"].replace(",", "")),
            f"{each['value']} {each['unit']}".strip(),
            each["bounds"],
        )
        for each in found
    }


def svg(recording: Recording, name: str) -> str:
    """Return the bars of both runs, or an empty text if no measurement is out of bounds."""
    broken, solved = measurements(recording.broken), measurements(recording.solved)
    shared = [each for each in broken if each in solved]
    if all(broken[each].is_met for each in shared):
        return ""
    body: list[str] = []
    described = []
    y = 0
    for each in shared:
        pair = {"with the bug": broken[each], "fixed": solved[each]}
        bounds = broken[each].bounds
        body.append(f'<text class="name" x="0" y="{y + 14}">{escape(each)}: {bounds}</text>')
        y += TITLE
        largest = max(
            [1e-9, *(value for one in pair.values() for value in (one.value, *one.limits))]
        )
        longest = max(len(one.text) for one in pair.values())
        scale = (WIDTH - LEFT - (longest + 3) * LETTER_WIDTH) / largest
        for label, one in pair.items():
            body += _bar(label, one, y, scale)
            described.append(f"{each}, {label}: {one.text} ({bounds})")
            y += ROW
        y += GAP
    labelled = f'role="img" aria-labelledby="{name}-title {name}-desc"'
    parts = [
        f'<svg class="bars" viewBox="0 0 {WIDTH} {y}" {labelled}>',
        f'<title id="{name}-title">Measurements with the bug and fixed</title>',
        f'<desc id="{name}-desc">{escape("; ".join(described))}</desc>',
        *body,
        "</svg>",
    ]
    return "\n".join(parts)


def _bar(label: str, one: Measurement, y: int, scale: float) -> list[str]:
    kind = "ok" if one.is_met else "failed"
    width = max(1.0, one.value * scale)
    verdict = "" if one.is_met else " ✗"
    limits = [f"M{LEFT + limit * scale:.1f} {y}v18" for limit in one.limits]
    return [
        f'<text class="label" x="0" y="{y + 13}">{label}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{y + 2}" width="{width:.1f}" height="14"/>',
        f'<path class="bound" d="{"".join(limits)}"/>',
        f'<text class="label" x="{LEFT + width + 6:.1f}" y="{y + 13}">{one.text}{verdict}</text>',
    ]
