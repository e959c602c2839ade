"""Reads the stages of a pipeline from the workflows of CircleCI."""

import re
from typing import Any

import yaml

from .stages import Pipeline, Stage, files, nearest, spoken


def circleci(documents: dict[str, Any]) -> Pipeline:
    """Read workflows, whose jobs are all one job with parameters."""
    (document,) = documents.values()
    parts = {
        name: {
            stage: made
            for entry in workflow["jobs"]
            for job, told in entry.items()
            for stage, made in [job_of(document, job, told)]
        }
        for name, workflow in document["workflows"].items()
    }
    approvals = {n: s.after for n, s in parts["delivery"].items() if s.approved and not s.runs}
    delivery = {}
    for name, stage in parts["delivery"].items():
        yes = stage.after & approvals.keys()
        after = (stage.after - yes).union(*(approvals[each] for each in yes))
        if name not in approvals:
            delivery[name] = Stage(**vars(stage) | {"after": after, "approved": bool(yes)})
    weekly = {n: Stage(**vars(s) | {"on_proposals": False}) for n, s in parts["weekly"].items()}
    by_hand = {n: Stage(runs=s.runs) for n, s in parts.get("rollback", {}).items()}
    whole = "weekly" not in yaml.safe_dump(document["workflows"]["delivery"].get("when", ""))
    return Pipeline(nearest(delivery), weekly, by_hand, whole)


def job_of(document: dict[str, Any], job: str, told: dict[str, Any]) -> tuple[str, Stage]:
    """Return the name of a job of a workflow, and what it does."""
    filters = told.get("filters", {}).get("branches", {})
    assert filters in ({}, {"only": "main"}), filters
    after = frozenset(told.get("requires", []))
    if told.get("type") == "approval":
        return job, Stage(after=after, approved=True)
    defined = document["jobs"][job]
    values = {n: p.get("default") for n, p in defined["parameters"].items()} | told
    steps = [*told.get("pre-steps", []), *steps_of(defined["steps"], values)]
    steps += told.get("post-steps", [])
    targets = re.sub(r"<< .*? >>", "…", told["targets"])
    runs = [s["run"] for s in steps if isinstance(s, dict) and "run" in s]
    scripts = [r if isinstance(r, str) else r["command"] for r in runs]
    attached = any("attach_workspace" in step for step in steps)
    kept = [p for s in steps if "persist_to_workspace" in s for p in paths(s, values)]
    contexts = told.get("context", [])
    environment = [c for c in ("staging", "production") if c in contexts]
    return told["name"], Stage(
        runs=spoken(script.replace("$TARGETS", targets) for script in scripts),
        after=after,
        on_proposals=not filters,
        takes=files(*values["takes"].split()) if attached else frozenset(),
        keeps=files(*kept),
        environment="".join(environment),
    )


def paths(step: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """Return what a job keeps for later ones."""
    found = step["persist_to_workspace"]["paths"]
    return [re.sub(r"<< parameters\.(\w+) >>", lambda m: values[m[1]], path) for path in found]


def steps_of(steps: list[Any], values: dict[str, Any]) -> list[Any]:
    """Return the steps of a job whose conditions hold."""
    found: list[Any] = []
    for step in steps:
        if isinstance(step, dict) and "when" in step:
            named = re.fullmatch(r"<< parameters\.(\w+) >>", step["when"]["condition"])
            assert named, step
            found += step["when"]["steps"] if values[named[1]] else []
        else:
            found.append(step)
    return found
