"""The order in which a release arrives: what it stands on, the schema, the processes."""

import json
import sys
from time import monotonic, sleep
from typing import Any

import yaml

from .cluster import attempt, kubectl
from .manifests import Image, Object, images, named, namespace, pod
from .refusals import kept_elsewhere

PATIENCE = 600
"""Seconds for what has no limit of its own."""
BACK = "the pods of the release before still serve; to have them all: make deploy with its RELEASE"


def roll_out(objects: list[Object], image: Image) -> None:
    """Apply all objects; stop at the first step that fails, with nothing of later steps done."""
    ours = [found for found in objects if str(image) in images(found)]
    jobs = [found for found in ours if found["kind"] == "Job"]
    others = [found for found in objects if pod(found) and found not in ours]
    apply([found for found in objects if not pod(found) and not is_there(found)])
    for found in objects:
        if kept_elsewhere(found):
            ready = ["--for=condition=Ready", "--timeout=60s"]
            kubectl("wait", named(found), *namespace(found), *ready)
    apply(others)
    wait(others)
    for job in jobs:
        run(job)
    processes = [found for found in ours if found not in jobs]
    apply(processes)
    wait(processes)


def is_there(found: Object) -> bool:
    """Tell of a namespace that it exists: what is allowed in one is not for a release to change."""
    if found["kind"] != "Namespace":
        return False
    return bool(kubectl("get", named(found), "--ignore-not-found", "--output=name").strip())


def apply(objects: list[Object]) -> None:
    """Have the cluster hold these; what is in the repository wins over what was set by hand."""
    if objects:
        options = ["--server-side", "--force-conflicts", "--field-manager=make-deploy"]
        said = yaml.safe_dump_all(objects)
        print(kubectl("apply", *options, "--filename=-", said=said), end="", flush=True)


def run(job: Object) -> None:
    """Run a Job to its end, unless this very one has been done; if it fails, show its log."""
    name, place = named(job), namespace(job)
    if ended(name, place) == "Failed":
        kubectl("delete", name, *place, "--timeout=60s")
    apply([job])
    deadline = monotonic() + job["spec"].get("activeDeadlineSeconds", PATIENCE) + 30
    while (end := ended(name, place)) is None and monotonic() < deadline:
        sleep(1)
    if end == "Complete":
        print(f"{name} is done", flush=True)
        return
    print(attempt("logs", name, *place, "--all-containers", "--tail=50")[1], end="", flush=True)
    what = "failed" if end else "did not end in time"
    sys.exit(f"{name} {what}, its log is above; no process was changed")


def ended(name: str, place: list[str]) -> str | None:
    """Return how a Job has ended, `Complete` or `Failed`; `None` if it runs or is not there."""
    printed = kubectl("get", name, *place, "--ignore-not-found", "--output=json")
    status: dict[str, Any] = json.loads(printed or "{}").get("status", {})
    ends = {one["type"] for one in status.get("conditions", []) if one["status"] == "True"}
    return next(iter(ends & {"Complete", "Failed"}), None)


def wait(processes: list[Object]) -> None:
    """Wait until every replica of these runs as it should."""
    for found in processes:
        if found["kind"] not in {"Deployment", "StatefulSet", "DaemonSet"}:
            continue
        seconds = found["spec"].get("progressDeadlineSeconds", PATIENCE) + 30
        name, limit = named(found), f"--timeout={seconds}s"
        status, said = attempt("rollout", "status", name, *namespace(found), limit)
        if status:
            sys.exit(f"{name} did not come up: {' '.join(said.split())}; {BACK}")
        print(f"{name} is up", flush=True)
