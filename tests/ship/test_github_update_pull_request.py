"""The GitHub workflow proposes an update once, without the files that its token may not push."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.template_releases import (
    NEWER,
    OLDER,
    git,
)
from tests.support.updates import Made, must_update, nothing, state
from tools.pythons import outside

pytestmark = pytest.mark.minutes

GH = """\
#!/bin/sh
case "$1 $2" in
"pr list") cat "$LISTED" ;;
"pr create") printf '%s\\n' "$@" > "$CREATED" && cat >> "$CREATED" && echo made ;;
*) exit 1 ;;
esac
"""


def propose(service: Path, tmp_path: Path, listed: str = "") -> str:
    """Run the workflow's last step as it stands, with a `gh` that writes down what it is told."""
    workflow = yaml.safe_load((service / ".github/workflows/template-update.yml").read_text())
    step = workflow["jobs"]["update"]["steps"][-1]
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin/gh").write_text(GH)
    (tmp_path / "bin/gh").chmod(0o755)
    (tmp_path / "listed").write_text(listed)
    variables = {"LISTED": str(tmp_path / "listed"), "CREATED": str(tmp_path / "created")}
    path = f"{tmp_path / 'bin'}:{outside()['PATH']}"
    return subprocess.run(
        ["sh", "-ec", step["run"]],
        cwd=service,
        env=outside() | variables | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_workflow_proposes_an_update_once_and_leaves_workflows_out(
    owned: Made, tmp_path: Path
) -> None:
    origin = tmp_path / "origin"
    git(tmp_path, "init", "--quiet", "--bare", origin.name)
    service = owned(OLDER, nothing)
    git(service, "remote", "add", "origin", str(origin))
    assert propose(service, tmp_path) == "There is nothing to propose.\n"
    must_update(service)
    said = propose(service, tmp_path, listed="https://forge.example/1")
    assert said == "It was proposed before: https://forge.example/1\n"
    assert git(origin, "branch", "--list") == ""
    assert propose(service, tmp_path) == "made\n"
    branch = f"template-{state(service)['commit'][:12]}"
    told = (tmp_path / "created").read_text()
    assert f"--head\n{branch}\n--title\nTemplate: {NEWER}\n" in told
    assert "Rename the widgets." in told
    assert "-    timeout-minutes: 21\n+    timeout-minutes: 20\n" in told
    pushed = git(origin, "show", "--name-only", "--format=", branch).splitlines()
    assert {".cruft.json", "Makefile"} <= set(pushed)
    assert not [name for name in pushed if name.startswith(".github")]
