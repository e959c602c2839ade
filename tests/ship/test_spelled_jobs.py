"""Jobs of GitLab, Azure and CircleCI: what they run is known, and is run where that is possible."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.needs import lack
from tools.pythons import UV, outside
from tools.spellings import SCHEMAS, documents

from .test_ci_dialects import DELIVERY, DEPLOYS, ROLLBACK, WEEKLY
from .test_github_workflows import edited
from .test_pipeline_steps import START, sh

GITLAB_CI_LOCAL = "gitlab-ci-local@4.61.1"
CHECKOV = "checkov@3.3.30"
PREPARE = [
    r"apt-get update -qq( && apt-get install .*)?",
    r"apt-get install -qq --yes --no-install-recommends git make \$PACKAGES > /dev/null",
    r"pipx? install --quiet( --root-user-action=ignore)? uv==[\d.]+|pipx install uv==[\d.]+",
    r"(export )?REGISTRY_(USER|TOKEN).*",
]
"""What jobs do before they call make: they install what it needs, and say who they are."""
PROPOSE = r"python3 -m dev\.(merge_request|azure_pull_request|proposed_branch)"
SCRIPTS = {"script", "before_script", "run", "command", "inlineScript"}


@pytest.fixture(scope="session")
def services(cookies_session: Cookies) -> Callable[[str], Path]:
    """Return the service of a provider, with Kubernetes."""

    @cache
    def service(provider: str) -> Path:
        return Baker(cookies_session).bake(ci=provider, kubernetes=True)

    return service


def lines(document: Any, key: str = "") -> Iterator[str]:
    """Yield each line that some shell is given."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from lines(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from lines(value, key)
    elif key in SCRIPTS:
        yield from str(document).splitlines()


@pytest.mark.parametrize("provider", SCHEMAS)
def test_each_line_that_a_job_runs_is_known(services: Callable[[str], Path], provider: str) -> None:
    parts = (DELIVERY, DEPLOYS, WEEKLY, ROLLBACK)
    known = {
        run.partition(" OVERLAY")[0] for part in parts for s in part.values() for run in s.runs
    }
    for _, document in documents(services(provider)).values():
        found = list(lines(document))
        assert found
        for line in found:
            plain = line.partition(" OVERLAY")[0]
            allowed = plain in known | {"make $TARGETS"} or re.fullmatch(PROPOSE, line)
            assert allowed or any(re.fullmatch(each, line) for each in PREPARE), line


@pytest.mark.parametrize("provider", SCHEMAS)
def test_nothing_is_cached_and_nothing_is_fetched_to_be_run(
    services: Callable[[str], Path], provider: str
) -> None:
    for _, document in documents(services(provider)).values():
        text = yaml.safe_dump(document)
        assert not re.search(r"\b(restore_cache|save_cache|cache|curl|wget)\b", text, re.IGNORECASE)


def gitlab(service: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run gitlab-ci-local, which reads and runs a pipeline as GitLab does."""
    npx = shutil.which("npx")
    if npx is None or not shutil.which("rsync"):
        lack("gitlab-ci-local needs npx, which comes with Node, and rsync")
    return subprocess.run(
        [npx or "npx", "--yes", GITLAB_CI_LOCAL, *arguments],
        cwd=service,
        env=outside() | {"PATH": f"{path}{outside()['PATH']}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def repository(services: Callable[[str], Path]) -> Path:
    """A service of GitLab in a repository whose origin is there."""
    service = services("gitlab")
    made = sh(service, f"make setup && {START} && git remote add origin git@example.com:a/b.git")
    assert made.returncode == 0, made.stdout
    return service


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("merge_request_event", [n for n, stage in DELIVERY.items() if stage.on_proposals]),
        ("push", [*DELIVERY, *DEPLOYS]),
        ("schedule", [*DELIVERY, *DEPLOYS, *WEEKLY]),
        ("web", [*ROLLBACK]),
    ],
)
def test_gitlab_takes_up_the_jobs_of_each_pipeline(
    repository: Path, source: str, names: list[str]
) -> None:
    given = {"CI_PIPELINE_SOURCE": source, "OVERLAY": "staging", "RELEASE": "a@sha256:0"}
    variables = [f"--variable={name}={value}" for name, value in given.items()]
    listed = gitlab(repository, "--list-csv", *variables)
    assert listed.returncode == 0, listed.stderr
    rows = [line.split(";")[0] for line in listed.stdout.splitlines() if ";" in line][1:]
    assert {row.removeprefix("build-") for row in rows} == set(names)


@pytest.mark.proof
@pytest.mark.parametrize("broken", [False, True], ids=["passes", "fails"])
def test_gitlab_runs_the_checks(repository: Path, tmp_path: Path, broken: bool) -> None:
    # What its image lacks is here already.
    for name in ("apt-get", "pip"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{Path(shutil.which(UV) or UV).parent}:"
    module = repository / "dev/ports.py"
    kept = module.read_text()
    module.write_text(kept + "import os\n" * broken)
    try:
        done = gitlab(repository, "--force-shell-executor", "check", path=path)
    finally:
        module.write_text(kept)
    assert bool(done.returncode) == broken, done.stdout + done.stderr
    assert ("dev/ports.py" in done.stdout + done.stderr) == broken


FRAMEWORKS = {
    "github": "github_actions",
    "gitlab": "gitlab_ci",
    "azure": "azure_pipelines",
    "circleci": "circleci_pipelines",
}
SUPPRESSED = {
    # A rollback has to be told of what and where to; both reach a shell by the environment alone.
    "github": {"CKV_GHA_7"},
}
BAD = {
    "github": (
        ".github/workflows/ci.yml",
        "on: [push]\npermissions: write-all\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n",
    ),
    "gitlab": (
        ".gitlab-ci.yml",
        "a:\n  script:\n    - 'curl -H \"JOB-TOKEN: $CI_JOB_TOKEN\" https://example.com'\n",
    ),
    "azure": (
        "azure-pipelines.yml",
        "jobs: [{job: a, container: {image: 'python:latest'}, steps: [{script: make}]}]\n",
    ),
    "circleci": (
        ".circleci/config.yml",
        "version: 2.1\njobs: {a: {docker: [{image: 'python:latest'}], steps: [{run: make}]}}\n",
    ),
}


def checkov(folder: Path, provider: str) -> tuple[int, set[str]]:
    """Return how many checks passed, and which did not."""
    options = ["--skip-download", "--quiet", "--compact", "--output=json", "--directory=."]
    done = subprocess.run(
        [UV, "tool", "run", "--quiet", CHECKOV, *options, "--framework", FRAMEWORKS[provider]],
        cwd=folder,
        env=outside() | {"LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told = json.loads(done.stdout)
    if "results" not in told:
        return 0, set()
    assert told["summary"]["parsing_errors"] == 0
    failed = {each["check_id"] for each in told["results"]["failed_checks"]}
    return told["summary"]["passed"], failed


@pytest.mark.proof
@pytest.mark.parametrize("provider", FRAMEWORKS)
def test_checkov_finds_only_what_is_suppressed(
    services: Callable[[str], Path], provider: str
) -> None:
    passed, failed = checkov(services(provider), provider)
    # Of Azure it looks at containers alone, which no job has.
    assert passed or provider == "azure"
    assert failed == SUPPRESSED.get(provider, set())


@pytest.mark.proof
@pytest.mark.parametrize("provider", FRAMEWORKS)
def test_checkov_finds_what_is_wrong(tmp_path: Path, provider: str) -> None:
    name, text = BAD[provider]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    assert checkov(tmp_path, provider)[1]


V_FAULTS = [
    ("gitlab", ".gitlab/ci/check.yml", "needs: [check, test, conformance]", "needs: [check]"),
    ("gitlab", ".gitlab-ci.yml", "uv==0.13.8", "uv"),
    ("azure", "azure/check.yml", "needs: [check, test, conformance]", "needs: [check]"),
    ("azure", "azure/steps.yml", "uv==0.13.8", "uv"),
    (
        "circleci",
        ".circleci/config.yml",
        "requires: [check, test, conformance]",
        "requires: [check]",
    ),
    ("circleci", ".circleci/config.yml", "2404:2026.05.1", "2404:current"),
]


def fifth_factor(service: Path, provider: str) -> int:
    """Run what a service itself says of its pipeline; it needs nothing but YAML."""
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-c", os.devnull, f"tests/twelve_factor/test_v_{provider}.py"],
        cwd=service,
        env=outside(),
        capture_output=True,
        check=False,
    ).returncode


@pytest.mark.parametrize("provider", SCHEMAS)
def test_a_service_proves_its_own_pipeline(services: Callable[[str], Path], provider: str) -> None:
    assert fifth_factor(services(provider), provider) == 0


@pytest.mark.parametrize("fault", V_FAULTS, ids=" ".join)
def test_a_service_finds_a_fault_of_its_pipeline(
    services: Callable[[str], Path], tmp_path: Path, fault: tuple[str, str, str, str]
) -> None:
    provider, path, old, new = fault
    copy = tmp_path / "service"
    shutil.copytree(services(provider), copy, ignore=shutil.ignore_patterns(".venv"))
    (copy / path).write_text(edited((copy / path).read_text(), old, new))
    assert fifth_factor(copy, provider) == 1
