"""The same processes in Compose: their commands, and the backing services that they use."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from . import service
from .manifests import ROOT, SERVICE, Object, processes

ADDRESS = re.compile(r"://[^\s/'\"]*?([a-z]+):(\d+)(?:/|$)", re.MULTILINE)
"""Host and port in the URL of a backing service."""


@cache
def services() -> dict[str, dict[str, Any]]:
    """Return all services of the Compose files."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(ROOT.glob("compose/*.yaml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return found


@cache
def backing_ports() -> dict[str, int]:
    """Return the port of each backing service, by its name in Compose."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("compose/*"))]
    found = (match for text in texts for match in ADDRESS.findall(text))
    return {host: int(port) for host, port in found if host in services()}


def max_connections() -> float:
    """Return the connection limit of the database; infinity if it has none."""
    text = " ".join(str(service.get("command", "")) for service in services().values())
    found = re.search(r"max_connections=(\d+)", text)
    return float(found[1] if found else "inf")


def same_commands(objects: list[Object]) -> Iterator[str]:
    """Each process has one image, and the arguments that it has in Compose."""
    expected = {
        name: service.get("command", [name])
        for name, service in services().items()
        if "extends" in service
    }
    found = {workload.component: workload for workload in processes(objects)}
    for name in sorted(expected.keys() - found.keys()):
        yield f"{name}: runs in Compose, but not in the cluster"
    for name, workload in found.items():
        container = workload.pod["containers"][0]
        arguments = container.get("args", [])
        if "command" in container:
            yield f"{workload}: command: overrides the entry point of the image"
        if arguments != expected.get(name, arguments):
            yield f"{workload}: args: {arguments}, but {expected[name]} in Compose"
        elif not arguments or arguments[0] not in service.COMMANDS:
            yield f"{workload}: args: {arguments}: unknown command"
        if not re.fullmatch(rf"{SERVICE}|.+@sha256:[0-9a-f]+", container["image"]):
            yield f"{workload}: image: {container['image']}: only a release adds a digest"
