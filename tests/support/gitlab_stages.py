"""Reads the stages of a pipeline from the jobs of GitLab CI."""

import re
from typing import Any

from .stages import Pipeline, Stage, files, nearest, spoken


def gitlab(documents: dict[str, Any]) -> Pipeline:
    """Read jobs, each with what it extends; which pipelines it is part of, its rules say."""
    (document,) = documents.values()
    jobs = {
        name: extended(document, job)
        for name, job in document.items()
        if isinstance(job, dict) and ("script" in job) and not name.startswith(".")
    }
    names = {name: name.removeprefix("build-") for name in jobs}
    made: dict[str, dict[str, Stage]] = {"push": {}, "schedule": {}, "web": {}}
    proposed = set()
    for name, job in jobs.items():
        needs = [need if isinstance(need, str) else need["job"] for need in job.get("needs", [])]
        script = [job["script"]] if isinstance(job["script"], str) else job["script"]
        (rule,) = job["rules"]
        environment = job.get("environment", "")
        stage = Stage(
            runs=spoken(script),
            after=frozenset(names[need] for need in needs),
            takes=files(*(p for n in needs for p in jobs[n].get("artifacts", {}).get("paths", ()))),
            keeps=files(*job.get("artifacts", {}).get("paths", ())),
            environment=environment if environment in {"staging", "production"} else "",
            approved=rule.get("when") == "manual" and rule.get("allow_failure") is False,
        )
        sources = re.findall(r"merge_request_event|push|schedule|web", rule["if"])
        if "merge_request_event" in sources:
            proposed.add(names[name])
        for source, stages in made.items():
            if source in sources:
                stages[names[name]] = stage
    delivery = {
        name: Stage(**vars(stage) | {"on_proposals": name in proposed})
        for name, stage in made["push"].items()
    }
    weekly = {name: stage for name, stage in made["schedule"].items() if name not in delivery}
    return Pipeline(
        nearest(delivery), weekly, made["web"], delivery.keys() <= made["schedule"].keys()
    )


def extended(document: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    """Return a job with what it extends: the later wins, and mappings are merged."""
    bases = job.get("extends", [])
    made: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        merge(made, extended(document, document[base]))
    merge(made, {key: value for key, value in job.items() if key != "extends"})
    return made


def merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    """Merge one mapping into another, as GitLab does."""
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            into[key] = dict(into[key])
            merge(into[key], value)
        else:
            into[key] = value
