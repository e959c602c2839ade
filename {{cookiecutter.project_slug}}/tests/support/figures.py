"""What tests measure: a figure with its unit, held against its bound and kept in every report."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Figure:
    """One measurement, and what is asked of it, if anything is."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def asked(self) -> str:
        """Say what is asked, in the unit of the figure."""
        bounds = {"at least": self.at_least, "at most": self.at_most}
        return ", ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)

    @property
    def is_met(self) -> bool:
        """Tell whether the value is within its bound."""
        if self.at_most is not None and self.value > self.at_most:
            return False
        return self.at_least is None or self.value >= self.at_least

    @property
    def measured(self) -> str:
        """Return the value with its unit."""
        return (
            f"{self.value:,.0f} {self.unit}"
            if self.value >= 1000
            else f"{self.value:.3g} {self.unit}"
        )

    def __str__(self) -> str:
        """Return the figure as a person reads it."""
        return f"{self.name} {self.measured}" + (f" ({self.asked})" if self.asked else "")


class Figures:
    """Keeps the figures of one test."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def __call__(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """Keep a figure; fail where it is out of its bound."""
        figure = Figure(name, value, unit, at_most, at_least)
        self._properties.append(("figure", figure))
        assert figure.is_met, figure


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Figures:
    """Return what keeps the figures of this test, in JUnit's report as well."""
    return Figures(request.node.user_properties)


def figures_of(report: pytest.TestReport) -> list[Figure]:
    """Return what a test has measured."""
    return [value for name, value in report.user_properties if name == "figure"]  # type: ignore[misc]
