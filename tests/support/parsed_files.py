"""The parsed content of a service's files, to compare renders with different answers."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def contents(service: Path) -> dict[str, Any]:
    """Return the parsed content of each file by its path."""
    return {
        path.relative_to(service).as_posix(): parsed(path.name, path.read_bytes().decode())
        for path in service.rglob("*")
        if path.is_file()
    }


def parsed(name: str, text: str) -> Any:
    """Parse TOML, YAML and JSON; return other files as text."""
    match Path(name).suffix:
        case ".toml":
            return tomllib.loads(text)
        case ".yaml" | ".yml":
            return list(yaml.safe_load_all(text))
        case ".json":
            return json.loads(text)
    return text


def filled_in(content: Any, answers: Mapping[str, str], markers: Mapping[str, str]) -> Any:
    """Replace the markers in parsed content by answers."""
    if isinstance(content, str):
        # In two steps, via texts that no answer can hold: an answer may equal a marker.
        for number, marker in enumerate(markers.values()):
            content = content.replace(marker, f"\0{number}\0")
        for number, question in enumerate(markers):
            content = content.replace(f"\0{number}\0", answers[question])
        return content
    if isinstance(content, dict):
        return {
            filled_in(name, answers, markers): filled_in(part, answers, markers)
            for name, part in content.items()
        }
    if isinstance(content, list):
        return [filled_in(part, answers, markers) for part in content]
    return content
