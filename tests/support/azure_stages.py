"""Reads the stages of a pipeline from Azure Pipelines."""

import re
from typing import Any

from .stages import Pipeline, Stage, files, nearest, spoken


def azure(documents: dict[str, Any]) -> Pipeline:
    """Read stages, whose templates are in place; which runs they are part of, conditions say."""
    parts: dict[str, dict[str, Stage]] = {"delivery": {}, "weekly": {}, "by hand": {}}
    document = documents["azure-pipelines.yml"]
    rollback = documents.get("azure/rollback.yml", {"stages": []})
    variables = {v["name"]: v["value"] for v in rollback.get("variables", [])}
    for part, stage in [
        *(("delivery", stage) for stage in document["stages"]),
        *(("by hand", stage) for stage in rollback["stages"]),
    ]:
        condition = stage["condition"]
        (job,) = stage["jobs"]
        deployed = job.get("strategy", {}).get("runOnce", {}).get("deploy", {})
        environment = job.get("environment", "")
        steps = deployed.get("steps") or job["steps"]
        scripts = [s.get("script") or s.get("inputs", {}).get("inlineScript", "") for s in steps]
        taken = [s["inputs"]["artifactName"] for s in steps if "Download" in s.get("task", "")]
        made = Stage(
            runs=spoken(scripts, variables if part == "by hand" else {}),
            after=frozenset(stage["dependsOn"]),
            on_proposals=part == "delivery" and "SourceBranch" not in condition,
            takes=files(*taken),
            keeps=files(*(step["publish"] for step in steps if "publish" in step)),
            environment=environment if part == "delivery" else "",
            approved=environment == "production" and part == "delivery",
        )
        name = stage["stage"]
        if part == "by hand":
            # Which of the two is asked for whoever runs it.
            runs = tuple(re.sub("OVERLAY=[a-z]+", "OVERLAY=…", run) for run in made.runs)
            parts[part]["rollback"] = Stage(runs=runs)
        elif "Build.Reason" in condition:
            parts["weekly"][name] = Stage(**vars(made) | {"on_proposals": False})
        else:
            parts[part][name] = made
    return Pipeline(
        nearest(parts["delivery"]), parts["weekly"], parts["by hand"], "schedules" in document
    )
