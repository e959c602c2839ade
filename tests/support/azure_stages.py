"""Reads the stages of a pipeline from Azure Pipelines."""

import re
from typing import Any

from .stages import Pipeline, Stage, artifacts, direct, make_commands, without_pull_requests


def azure(documents: dict[str, Any]) -> Pipeline:
    """Read stages with their templates expanded; their conditions select the runs."""
    document = documents["azure-pipelines.yml"]
    delivery: dict[str, Stage] = {}
    weekly: dict[str, Stage] = {}
    for stage in document["stages"]:
        part = weekly if "Build.Reason" in stage["condition"] else delivery
        part[stage["stage"]] = read(stage, {})
    rollback = documents.get("azure/rollback.yml", {"stages": [], "variables": []})
    variables = {v["name"]: v["value"] for v in rollback["variables"]}
    manual = {}
    for stage in rollback["stages"]:
        # One stage per overlay: the user chooses the overlay when starting the run.
        runs = (re.sub("OVERLAY=[a-z]+", "OVERLAY=…", run) for run in read(stage, variables).runs)
        manual["rollback"] = Stage(runs=tuple(runs))
    return Pipeline(
        direct(delivery), without_pull_requests(weekly), manual, "schedules" in document
    )


def read(stage: dict[str, Any], variables: dict[str, str]) -> Stage:
    """Return a stage, which has one job."""
    (job,) = stage["jobs"]
    deployed = job.get("strategy", {}).get("runOnce", {}).get("deploy", {})
    steps = deployed.get("steps") or job["steps"]
    scripts = [s.get("script") or s.get("inputs", {}).get("inlineScript", "") for s in steps]
    environment = job.get("environment", "")
    return Stage(
        runs=make_commands(scripts, variables),
        after=frozenset(stage["dependsOn"]),
        on_pull_requests="SourceBranch" not in stage["condition"],
        downloads=artifacts(
            *(s["inputs"]["artifactName"] for s in steps if "Download" in s.get("task", ""))
        ),
        uploads=artifacts(*(step["publish"] for step in steps if "publish" in step)),
        environment=environment,
        approved=environment == "production",
    )
