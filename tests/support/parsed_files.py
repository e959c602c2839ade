"""What the files of a service say, so that it can be compared for different answers."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def meanings(service: Path) -> dict[str, Any]:
    """Return what each file says, by its path from the folder of the service."""
    return {
        path.relative_to(service).as_posix(): meaning(path.name, path.read_bytes().decode())
        for path in service.rglob("*")
        if path.is_file()
    }


def meaning(name: str, text: str) -> Any:
    """Return what a file holds, parsed where its format is one of data, or else the text."""
    match Path(name).suffix:
        case ".toml":
            return tomllib.loads(text)
        case ".yaml" | ".yml":
            return list(yaml.safe_load_all(text))
        case ".json":
            return json.loads(text)
    return text


def filled_in(said: Any, answers: Mapping[str, str], markers: Mapping[str, str]) -> Any:
    """Return what was said with markers as it would be said with answers in their places."""
    if isinstance(said, str):
        # By way of what no answer can hold, since an answer may look like a marker.
        for number, marker in enumerate(markers.values()):
            said = said.replace(marker, f"\0{number}\0")
        for number, question in enumerate(markers):
            said = said.replace(f"\0{number}\0", answers[question])
        return said
    if isinstance(said, dict):
        return {
            filled_in(name, answers, markers): filled_in(part, answers, markers)
            for name, part in said.items()
        }
    if isinstance(said, list):
        return [filled_in(part, answers, markers) for part in said]
    return said
