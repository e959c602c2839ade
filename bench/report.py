"""The measurements as a Markdown table, compared with their targets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

HEADER = """\
| measurement | service | baseline | ratio | target | met? |
| --- | ---: | ---: | ---: | --- | --- |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Limits of a value and of its ratio to the baseline."""

    at_most: float = inf
    ratio_at_most: float = inf
    ratio_at_least: float = 0.0

    def met(self, value: float, ratio: float) -> bool:
        """Return whether the value and the ratio are within the limits."""
        return value <= self.at_most and self.ratio_at_least <= ratio <= self.ratio_at_most

    def text(self, unit: str) -> str:
        """Return the limits as text; `unit` formats a value."""
        parts = []
        if self.at_most < inf:
            parts.append(f"at most {unit.format(self.at_most)}")
        if self.ratio_at_most < inf:
            parts.append(f"ratio at most {self.ratio_at_most}")
        if self.ratio_at_least:
            parts.append(f"ratio at least {self.ratio_at_least}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """Pairs of values of baseline and service, each pair measured in immediate succession."""

    name: str
    unit: str
    pairs: Sequence[tuple[float, float]]
    target: Target | None = None

    def markdown(self) -> str:
        """Return the medians; the ratio is the median over pairs, since machine load varies."""
        baseline, service = (median(values) for values in zip(*self.pairs, strict=True))
        ratio = median(service / baseline for baseline, service in self.pairs)
        target = met = ""
        if self.target:
            target = self.target.text(self.unit)
            met = "yes" if self.target.met(service, ratio) else "no"
        cells = [self.name, self.unit.format(service), self.unit.format(baseline), f"{ratio:.2f}"]
        return "| " + " | ".join([*cells, target, met]) + " |\n"


def table(rows: Iterable[Row]) -> str:
    """Return a Markdown table of these rows."""
    return HEADER + "".join(row.markdown() for row in rows)
