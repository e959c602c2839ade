"""What pods find in their environment is what the settings read: no variable more, none less."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from {{ cookiecutter.package_name }}.chassis.config.loader import secret_fields
from {{ cookiecutter.package_name }}.settings import Settings

from .objects import ROOT, Object, Workload, of_kind, ours

FIELDS = {name.upper(): field for name, field in Settings.model_fields.items()}
FILES = {f"{name.upper()}_FILE" for name in secret_fields(Settings)}


def given(pods: Workload, objects: list[Object]) -> dict[str, str]:
    """Return the variables that manifests set; what the cluster says only then is empty."""
    maps = {found["metadata"]["name"]: found["data"] for found in of_kind(objects, "ConfigMap")}
    variables: dict[str, str] = {}
    for container in pods.containers:
        for source in container.get("envFrom", []):
            variables |= maps.get(source.get("configMapRef", {}).get("name"), {})
        variables |= {one["name"]: one.get("value", "") for one in container.get("env", [])}
    return variables


def environment_of(pods: Workload, objects: list[Object]) -> dict[str, str]:
    """Return the settings of a process: what it is given, and defaults of what is not valid."""
    defaults = {name: str(one.default) for name, one in FIELDS.items() if not one.is_required()}
    return defaults | {
        name: value
        for name, value in given(pods, objects).items()
        if name not in FIELDS or not _problem(FIELDS[name], value)
    }


def variables(objects: list[Object]) -> Iterator[str]:
    """Each variable is one that is read, with a value that is one; each required one is there."""
    found: dict[str, list[str]] = {}
    for pods in ours(objects):
        for fault in _faults(given(pods, objects)):
            found.setdefault(fault, []).append(str(pods))
    yield from (f"{', '.join(who)}: env: {fault}" for fault, who in found.items())


def _faults(found: dict[str, str]) -> Iterator[str]:
    parts = set(re.findall(r"\$\((\w+)\)", " ".join(found.values())))
    for name, value in found.items():
        if name not in {*FIELDS, *FILES, *parts} and not name.startswith("OTEL_"):
            yield f"{name} is read by nothing ({_files(name)})"
        elif name in FIELDS and (problem := _problem(FIELDS[name], value)):
            yield f"{name}: {problem} ({_files(name)})"
    for name, field in FIELDS.items():
        if field.is_required() and not {name, f"{name}_FILE"} & found.keys():
            yield f"{name} is required, and not set (deploy/base/settings.env)"


def secrets(objects: list[Object]) -> Iterator[str]:
    """A file that a setting names is one of those that are mounted."""
    for pods in ours(objects):
        mounted = dict(_mounted(pods, objects))
        for name, path in given(pods, objects).items():
            if name not in FILES:
                continue
            folder, _, key = path.rpartition("/")
            if folder not in mounted:
                yield f"{pods}: volumeMounts: {name} is {path}, where nothing is mounted"
            elif mounted[folder] is not None and key not in mounted[folder]:
                yield f"{pods}: volumes: {name} is {path}, and the Secret has no {key}"
        for name in FIELDS.keys() & given(pods, objects).keys():
            if f"{name}_FILE" in FILES and "@" in given(pods, objects)[name]:
                yield f"{pods}: env: {name} holds a secret ({_files(name)})"


def _mounted(pods: Workload, objects: list[Object]) -> Iterator[tuple[str, Any]]:
    """Yield each folder with the keys of the Secret there, or `None` where they are not known."""
    keys: dict[str, set[str]] = {}
    for found in of_kind(objects, "Secret"):
        held = {**found.get("data", {}), **found.get("stringData", {})}
        keys[found["metadata"]["name"]] = set(held)
    for found in of_kind(objects, "ExternalSecret"):
        keys[found["spec"]["target"]["name"]] = {
            one["secretKey"] for one in found["spec"].get("data", [])
        }
    volumes = {one["name"]: one.get("secret") for one in pods.pod.get("volumes", [])}
    for container in pods.containers:
        for mount in container.get("volumeMounts", []):
            if secret := volumes.get(mount["name"]):
                yield mount["mountPath"], keys.get(secret["secretName"])


def _problem(field: Any, value: str) -> str:
    kind: Any = Annotated[field.annotation, field]
    try:
        TypeAdapter[Any](kind).validate_python(value)
    except ValidationError as error:
        return str(error.errors(include_input=False, include_context=False)[0]["msg"])
    return ""


def _files(name: str) -> str:
    """Return the files that set a variable."""
    sets = re.compile(rf"\b{name}\b(=| *:|,|$)", re.MULTILINE)
    paths = sorted(path for path in ROOT.glob("deploy/**/*") if path.suffix in {".env", ".yaml"})
    found = [path for path in paths if sets.search(path.read_text(encoding="utf-8"))]
    return ", ".join(str(path.relative_to(ROOT)) for path in found) or "in no file of deploy/"
