"""What Compose says of the same processes: their commands, what they connect to, its images."""

import re
from functools import cache
from typing import Any

import yaml

from .objects import ROOT

ADDRESS = re.compile(r"://[^\s/'\"]*?([a-z]+):(\d+)/")
"""Host and port of a backing service, in its URL."""


@cache
def services() -> dict[str, dict[str, Any]]:
    """Return all services of the Compose files, as each file has them."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(ROOT.glob("compose/*.yaml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return found


def commands() -> dict[str, list[str]]:
    """Return the processes of this service, with the arguments that each is given."""
    return {
        name: made.get("command", [name]) for name, made in services().items() if "extends" in made
    }


def backing_images() -> set[str]:
    """Return the images that are not ours, each with its version."""
    return {made["image"] for made in services().values() if "image" in made} - {
        services()["service"]["image"]
    }


@cache
def backing_ports() -> dict[str, int]:
    """Return what every process connects to, by the name in Compose, with its port."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("compose/*"))]
    found = (match for text in texts for match in ADDRESS.findall(text))
    return {host: int(port) for host, port in found if host in services()}


def most_connections() -> int | None:
    """Return how many connections the database allows, where Compose says so."""
    text = " ".join(str(made.get("command", "")) for made in services().values())
    found = re.search(r"max_connections=(\d+)", text)
    return int(found[1]) if found else None
