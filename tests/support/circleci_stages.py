"""Reads the stages of a pipeline from the workflows of CircleCI."""

import re
from dataclasses import replace
from typing import Any

import yaml

from .stages import (
    Pipeline,
    Stage,
    artifacts,
    direct,
    make_commands,
    only_commands,
    without_pull_requests,
)


def circleci(documents: dict[str, Any]) -> Pipeline:
    """Read the workflows; an approval job makes its successors approved stages."""
    (document,) = documents.values()
    parts = {
        name: dict(
            stage_of(document, job, arguments)
            for entry in workflow["jobs"]
            for job, arguments in entry.items()
        )
        for name, workflow in document["workflows"].items()
    }
    approvals = {n: s.after for n, s in parts["delivery"].items() if s.approved}
    delivery = {}
    for name, stage in parts["delivery"].items():
        waits_for = stage.after & approvals.keys()
        after = (stage.after - waits_for).union(*(approvals[each] for each in waits_for))
        if name not in approvals:
            delivery[name] = replace(stage, after=after, approved=bool(waits_for))
    condition = yaml.safe_dump(document["workflows"]["delivery"].get("when", ""))
    return Pipeline(
        direct(delivery),
        without_pull_requests(parts["weekly"]),
        only_commands(parts.get("rollback", {})),
        "weekly" not in condition,
    )


def stage_of(document: dict[str, Any], job: str, arguments: dict[str, Any]) -> tuple[str, Stage]:
    """Return the name and the stage of a job that a workflow calls with these arguments."""
    filters = arguments.get("filters", {}).get("branches", {})
    assert filters in ({}, {"only": "main"}), filters
    after = frozenset(arguments.get("requires", []))
    if arguments.get("type") == "approval":
        return job, Stage(after=after, approved=True)
    defined = document["jobs"][job]
    values = {n: p.get("default") for n, p in defined["parameters"].items()} | arguments
    steps = [*arguments.get("pre-steps", []), *active_steps(defined["steps"], values)]
    steps += arguments.get("post-steps", [])
    targets = re.sub(r"<< .*? >>", "…", arguments["targets"])
    runs = [s["run"] for s in steps if isinstance(s, dict) and "run" in s]
    scripts = [r if isinstance(r, str) else r["command"] for r in runs]
    attached = any("attach_workspace" in step for step in steps)
    uploads = [p for s in steps if "persist_to_workspace" in s for p in paths(s, values)]
    contexts = arguments.get("context", [])
    return arguments["name"], Stage(
        runs=make_commands(script.replace("$TARGETS", targets) for script in scripts),
        after=after,
        on_pull_requests=not filters,
        downloads=artifacts(*values["takes"].split()) if attached else frozenset(),
        uploads=artifacts(*uploads),
        environment="".join(c for c in ("staging", "production") if c in contexts),
    )


def paths(step: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """Return the paths that a step stores in the workspace."""
    found = step["persist_to_workspace"]["paths"]
    return [re.sub(r"<< parameters\.(\w+) >>", lambda m: values[m[1]], path) for path in found]


def active_steps(steps: list[Any], values: dict[str, Any]) -> list[Any]:
    """Return the steps whose conditions are met."""
    found: list[Any] = []
    for step in steps:
        if isinstance(step, dict) and "when" in step:
            condition = re.fullmatch(r"<< parameters\.(\w+) >>", step["when"]["condition"])
            assert condition, step
            found += step["when"]["steps"] if values[condition[1]] else []
        else:
            found.append(step)
    return found
