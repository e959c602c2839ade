"""The figures as a table: what was measured, what was promised, and whether that is kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

HEAD = """\
| figure | service | limit | ratio | target | met? |
| --- | ---: | ---: | ---: | --- | --- |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is promised: of the figure itself, in its unit, and of its ratio to the limit's."""

    at_most: float = inf
    ratio_at_most: float = inf
    ratio_at_least: float = 0.0

    def met(self, figure: float, ratio: float) -> bool:
        """Tell whether a figure keeps all of it."""
        return figure <= self.at_most and self.ratio_at_least <= ratio <= self.ratio_at_most

    def told(self, form: str) -> str:
        """Say what it asks, with the figure in its own form."""
        parts = []
        if self.at_most < inf:
            parts.append(f"at most {form.format(self.at_most)}")
        if self.ratio_at_most < inf:
            parts.append(f"ratio at most {self.ratio_at_most}")
        if self.ratio_at_least:
            parts.append(f"ratio at least {self.ratio_at_least}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: pairs of the limit's figure and the service's, measured one after the other."""

    name: str
    form: str
    pairs: Sequence[tuple[float, float]]
    target: Target | None = None

    def row(self) -> str:
        """Return medians; the ratio's is over the pairs, since both drift with the machine."""
        limit, service = (median(values) for values in zip(*self.pairs, strict=True))
        ratio = median(service / limit for limit, service in self.pairs)
        met = told = ""
        if self.target:
            told = self.target.told(self.form)
            met = "yes" if self.target.met(service, ratio) else "no"
        cells = [self.name, self.form.format(service), self.form.format(limit), f"{ratio:.2f}"]
        return "| " + " | ".join([*cells, told, met]) + " |\n"


def table(figures: Iterable[Figure]) -> str:
    """Return a Markdown table with a row for each figure."""
    return HEAD + "".join(figure.row() for figure in figures)
