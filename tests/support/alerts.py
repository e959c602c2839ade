"""The alert rules of a rendered service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

VARIANTS: dict[str, dict[str, Any]] = {
    "full": {"worker": True, "events": True, "redis": True, "kubernetes": True, "observe": True},
    "bare": {"database": "none", "kubernetes": True, "observe": True},
}
"""Answers with all files of rules, and with the fewest."""

Rule = dict[str, Any]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rule_files(service: Path) -> list[Path]:
    return sorted((service / "observe" / "alerts").glob("*.yaml"))


def alerts(service: Path) -> Iterator[tuple[str, Rule]]:
    """Yield each alert with the name of its file."""
    for path in rule_files(service):
        for group in load(path)["groups"]:
            yield from ((path.name, rule) for rule in group["rules"] if "alert" in rule)
