"""Reads the stages of a pipeline from GitHub workflows."""

import re
from typing import Any

from .stages import Pipeline, Stage, files, nearest, spoken


def github(documents: dict[str, Any]) -> Pipeline:
    """Read workflows; one that another calls stands in its place."""
    # YAML takes the key `on` for a yes.
    events = {path: set(document[True]) for path, document in documents.items()}
    proposed = {
        name
        for path, on in events.items()
        if "pull_request" in on
        for name in called(documents, path)
    }
    main = [path for path, on in events.items() if "push" in on]
    assert len(main) == 1, main
    delivery = {
        name: Stage(**vars(stage) | {"on_proposals": name in proposed})
        for name, stage in called(documents, main[0]).items()
    }
    weekly: dict[str, Stage] = {}
    by_hand: dict[str, Stage] = {}
    for path, on in events.items():
        if path not in main and "schedule" in on:
            weekly |= called(documents, path)
        elif on == {"workflow_dispatch"}:
            by_hand |= {n: Stage(runs=s.runs) for n, s in called(documents, path).items()}
    return Pipeline(nearest(delivery), weekly, by_hand, "schedule" in events[main[0]])


def called(
    documents: dict[str, Any], path: str, inputs: dict[str, str] | None = None, caller: str = ""
) -> dict[str, Stage]:
    """Return the stages of a workflow, those of the workflows that it calls among them."""
    document = documents[path]
    inputs = declared(document) | (inputs or {})
    made: dict[str, dict[str, Stage]] = {}
    for name, job in document["jobs"].items():
        needs = job.get("needs", [])
        ends = {
            end
            for need in ([needs] if isinstance(needs, str) else needs)
            for end in made[need]
            if not any(end in stage.after for stage in made[need].values())
        }
        if "uses" in job:
            handed = {k: filled(str(v), inputs) for k, v in job.get("with", {}).items()}
            inner = called(documents, job["uses"].removeprefix("./"), handed, name)
        else:
            alone = caller and len(document["jobs"]) == 1
            inner = {caller if alone else name: one_job(job, document, inputs)}
        made[name] = {
            each: Stage(**vars(stage) | {"after": stage.after or frozenset(ends)})
            for each, stage in inner.items()
        }
    return {each: stage for stages in made.values() for each, stage in stages.items()}


def declared(document: dict[Any, Any]) -> dict[str, str]:
    """Return what a workflow is told if nobody tells it anything: defaults, or the unknown."""
    on = document[True]
    asked = (on.get("workflow_call") or on.get("workflow_dispatch") or {}) if on else {}
    return {name: str(i.get("default", "?")) for name, i in asked.get("inputs", {}).items()}


def one_job(job: dict[str, Any], document: dict[Any, Any], inputs: dict[str, str]) -> Stage:
    """Return what a job of a workflow does."""
    steps, environment = job["steps"], filled(str(job.get("environment", "")), inputs)
    runs = [
        each
        for step in steps
        if "run" in step
        for variables in [{**document.get("env", {}), **job.get("env", {}), **step.get("env", {})}]
        for each in spoken([step["run"]], {k: filled(str(v), inputs) for k, v in variables.items()})
    ]

    def passed(action: str, key: str) -> list[str]:
        return [
            step["with"][key] for step in steps if f"/{action}-artifact@" in step.get("uses", "")
        ]

    kept = files(*passed("upload", "path"))
    taken = files(*(f"{n}.tar" if n == "image" else n for n in passed("download", "name")))
    return Stage(
        runs=tuple(runs),
        takes=taken,
        keeps=kept,
        environment=environment if environment in {"staging", "production"} else "",
        approved=environment == "production",
    )


def filled(text: str, inputs: dict[str, str]) -> str:
    """Fill in what a workflow was told."""
    return re.sub(r"\$\{\{ *inputs\.(\w+) *\}\}", lambda m: inputs.get(m[1], "?"), text)
