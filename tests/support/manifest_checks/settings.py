"""The environment of each process sets what its settings read, and reads mounted secrets."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from .manifests import Object, Workload, processes, select
from .service import FIELDS, SECRETS

FILES = {f"{name}_FILE" for name in SECRETS}


def environment(workload: Workload, objects: list[Object]) -> dict[str, str]:
    """Return the variables of a process; those that the cluster sets are empty."""
    data = {found["metadata"]["name"]: found["data"] for found in select(objects, "ConfigMap")}
    variables: dict[str, str] = {}
    for container in workload.containers:
        for source in container.get("envFrom", []):
            variables |= data.get(source.get("configMapRef", {}).get("name"), {})
        variables |= {each["name"]: each.get("value", "") for each in container.get("env", [])}
    return variables


def setting(name: str, workload: Workload, objects: list[Object]) -> float:
    """Return the value of a numeric setting, or its default."""
    return float(environment(workload, objects).get(name, FIELDS[name].default))


def variables(objects: list[Object]) -> Iterator[str]:
    """Each variable is read and valid, and each required one is set."""
    for workload in processes(objects):
        found = environment(workload, objects)
        expanded = set(re.findall(r"\$\((\w+)\)", " ".join(found.values())))
        for name in found.keys() - FIELDS.keys() - FILES - expanded:
            if not name.startswith("OTEL_"):
                yield f"{workload}: env: {name}: unknown setting"
        for name, field in FIELDS.items():
            if name in found and (problem := _problem(field, found[name])):
                yield f"{workload}: env: {name}: {problem}"
            if field.is_required() and not {name, f"{name}_FILE"} & found.keys():
                yield f"{workload}: env: {name}: missing"


def _problem(field: Any, value: str) -> str:
    annotation: Any = Annotated[field.annotation, field]
    try:
        TypeAdapter[Any](annotation).validate_python(value)
    except ValidationError as error:
        return str(error.errors(include_input=False, include_context=False)[0]["msg"])
    return ""


def secrets(objects: list[Object]) -> Iterator[str]:
    """Each secret is read from a mounted file that its Secret has."""
    keys = {
        found["spec"]["target"]["name"]: {each["secretKey"] for each in found["spec"]["data"]}
        for found in select(objects, "ExternalSecret")
    }
    for workload in processes(objects):
        mounted = _mounted_secrets(workload)
        found = environment(workload, objects)
        for name in FILES & found.keys():
            folder, _, key = found[name].rpartition("/")
            if folder not in mounted:
                yield f"{workload}: env: {name} is {found[name]}, where no Secret is mounted"
            elif key not in keys.get(mounted[folder], {key}):
                yield f"{workload}: env: {name}: the Secret {mounted[folder]} has no {key}"
        for name in SECRETS & found.keys():
            if "@" in found[name]:
                yield f"{workload}: env: {name} contains a password: use {name}_FILE"


def _mounted_secrets(workload: Workload) -> dict[str, str]:
    """Return the names of mounted Secrets by path."""
    volumes = {each["name"]: each.get("secret") for each in workload.pod.get("volumes", [])}
    return {
        mount["mountPath"]: volumes[mount["name"]]["secretName"]
        for container in workload.containers
        for mount in container.get("volumeMounts", [])
        if volumes.get(mount["name"])
    }
