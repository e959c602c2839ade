"""Reads the stages of a pipeline from the jobs of GitLab CI."""

import re
from dataclasses import replace
from typing import Any

from tools.ci_dialects import merged

from .stages import Pipeline, Stage, artifacts, direct, make_commands


def gitlab(documents: dict[str, Any]) -> Pipeline:
    """Read the jobs with `extends` expanded; their rules select the pipelines."""
    (document,) = documents.values()
    jobs = {
        name: extended(document, job)
        for name, job in document.items()
        if isinstance(job, dict) and ("script" in job) and not name.startswith(".")
    }
    names = {name: name.removeprefix("build-") for name in jobs}
    pipelines: dict[str, dict[str, Stage]] = {"push": {}, "schedule": {}, "web": {}}
    on_pull_requests = set()
    for name, job in jobs.items():
        needs = [need if isinstance(need, str) else need["job"] for need in job.get("needs", [])]
        script = [job["script"]] if isinstance(job["script"], str) else job["script"]
        (rule,) = job["rules"]
        environment = job.get("environment", "")
        stage = Stage(
            runs=make_commands(script),
            after=frozenset(names[need] for need in needs),
            downloads=artifacts(
                *(p for need in needs for p in jobs[need].get("artifacts", {}).get("paths", ()))
            ),
            uploads=artifacts(*job.get("artifacts", {}).get("paths", ())),
            environment=environment if environment in {"staging", "production"} else "",
            approved=rule.get("when") == "manual" and rule.get("allow_failure") is False,
        )
        sources = re.findall(r"merge_request_event|push|schedule|web", rule["if"])
        if "merge_request_event" in sources:
            on_pull_requests.add(names[name])
        for source, stages in pipelines.items():
            if source in sources:
                stages[names[name]] = stage
    delivery = {
        name: replace(stage, on_pull_requests=name in on_pull_requests)
        for name, stage in pipelines["push"].items()
    }
    scheduled = pipelines["schedule"]
    weekly = {name: stage for name, stage in scheduled.items() if name not in delivery}
    delivered_weekly = delivery.keys() <= scheduled.keys()
    return Pipeline(direct(delivery), weekly, pipelines["web"], delivered_weekly)


def extended(document: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    """Return a job merged with the jobs that it extends; later ones take precedence."""
    bases = job.get("extends", [])
    made: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        made = merged(made, extended(document, document[base]))
    made = merged(made, job)
    made.pop("extends", None)
    return made
