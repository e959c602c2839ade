"""Reads the stages of a pipeline from GitHub workflows."""

import re
from dataclasses import replace
from typing import Any

from .stages import Pipeline, Stage, artifacts, direct, make_commands, only_commands

UPDATE = ".github/workflows/template-update.yml"
"""A workflow that the other providers leave to Renovate."""


def github(documents: dict[str, Any]) -> Pipeline:
    """Read the workflows; called workflows are expanded."""
    # YAML 1.1 parses the key `on` as true.
    events = {path: set(document[True]) for path, document in documents.items()}
    (main,) = [path for path, on in events.items() if "push" in on]
    assert documents[main][True]["push"] == {"branches": ["main"]}
    on_pull_requests = {
        name
        for path, on in events.items()
        if "pull_request" in on
        for name in expanded(documents, path)
    }
    delivery = {
        name: replace(stage, on_pull_requests=name in on_pull_requests)
        for name, stage in expanded(documents, main).items()
    }
    weekly: dict[str, Stage] = {}
    manual: dict[str, Stage] = {}
    for path, on in events.items():
        if path not in (main, UPDATE) and "schedule" in on:
            weekly |= expanded(documents, path)
        elif on == {"workflow_dispatch"}:
            manual |= only_commands(expanded(documents, path))
    return Pipeline(direct(delivery), weekly, manual, "schedule" in events[main])


def expanded(
    documents: dict[str, Any], path: str, inputs: dict[str, str] | None = None, caller: str = ""
) -> dict[str, Stage]:
    """Return the stages of a workflow, including those of the workflows that it calls."""
    document = documents[path]
    inputs = default_inputs(document) | (inputs or {})
    stages: dict[str, dict[str, Stage]] = {}
    for name, job in document["jobs"].items():
        needs = job.get("needs", [])
        ends = {
            end
            for need in ([needs] if isinstance(needs, str) else needs)
            for end in stages[need]
            if not any(end in stage.after for stage in stages[need].values())
        }
        if "uses" in job:
            arguments = {k: filled(str(v), inputs) for k, v in job.get("with", {}).items()}
            inner = expanded(documents, job["uses"].removeprefix("./"), arguments, name)
        else:
            single = caller and len(document["jobs"]) == 1
            inner = {caller if single else name: stage_of(job, document, inputs)}
        stages[name] = {
            each: replace(stage, after=stage.after or frozenset(ends))
            for each, stage in inner.items()
        }
    return {each: stage for inner in stages.values() for each, stage in inner.items()}


def default_inputs(document: dict[Any, Any]) -> dict[str, str]:
    """Return the inputs of a workflow with their defaults, or `?` for those without one."""
    on = document[True]
    trigger = (on.get("workflow_call") or on.get("workflow_dispatch") or {}) if on else {}
    return {name: str(i.get("default", "?")) for name, i in trigger.get("inputs", {}).items()}


def stage_of(job: dict[str, Any], document: dict[Any, Any], inputs: dict[str, str]) -> Stage:
    """Return the stage of one job."""
    steps, environment = job["steps"], filled(str(job.get("environment", "")), inputs)
    runs: list[str] = []
    for step in steps:
        variables = document.get("env", {}) | job.get("env", {}) | step.get("env", {})
        filled_in = {name: filled(str(value), inputs) for name, value in variables.items()}
        runs += make_commands([step.get("run", "")], filled_in)

    def arguments(action: str, name: str) -> list[str]:
        return [
            step["with"][name] for step in steps if f"/{action}-artifact@" in step.get("uses", "")
        ]

    downloads = (f"{n}.tar" if n == "image" else n for n in arguments("download", "name"))
    return Stage(
        runs=tuple(runs),
        downloads=artifacts(*downloads),
        uploads=artifacts(*arguments("upload", "path")),
        environment=environment if environment in {"staging", "production"} else "",
        approved=environment == "production",
    )


def filled(text: str, inputs: dict[str, str]) -> str:
    """Replace expressions by the inputs that they name."""
    return re.sub(r"\$\{\{ *inputs\.(\w+) *\}\}", lambda m: inputs.get(m[1], "?"), text)
