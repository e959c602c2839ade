"""GitLab pipelines in gitlab-ci-local: the jobs of each pipeline, and a run of the checks."""

import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import run
from tests.support.needs import lack
from tests.support.pipeline_contract import CHECKS, DEPLOYS, RELEASE, ROLLBACK, WEEKLY
from tools.pythons import UV, outside

from .test_pipeline_steps import START, sh

GITLAB_CI_LOCAL = "gitlab-ci-local@4.61.1"


def gitlab(service: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run gitlab-ci-local, which interprets pipelines as GitLab does."""
    npx = shutil.which("npx")
    if npx is None or not shutil.which("rsync"):
        lack("gitlab-ci-local needs npx, which comes with Node, and rsync")
    command = [npx or "npx", "--yes", GITLAB_CI_LOCAL, *arguments]
    search = f"{path}{outside()['PATH']}"
    return run(*command, cwd=service, PATH=search, NO_COLOR="1")


@pytest.fixture(scope="module")
def repository(cookies_session: Cookies) -> Path:
    """A service for GitLab in a repository with a remote."""
    service = Baker(cookies_session).bake(ci="gitlab", release=True, kubernetes=True)
    made = sh(service, f"make setup && {START} && git remote add origin git@example.com:a/b.git")
    assert made.returncode == 0, made.stderr
    return service


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("merge_request_event", [*CHECKS]),
        ("push", [*CHECKS, *RELEASE, *DEPLOYS]),
        ("schedule", [*CHECKS, *RELEASE, *DEPLOYS, *WEEKLY]),
        ("web", [*ROLLBACK]),
    ],
)
def test_each_pipeline_has_its_jobs(repository: Path, source: str, names: list[str]) -> None:
    given = {"CI_PIPELINE_SOURCE": source, "OVERLAY": "staging", "RELEASE": "a@sha256:0"}
    variables = [f"--variable={name}={value}" for name, value in given.items()]
    listed = gitlab(repository, "--list-csv", *variables)
    assert listed.returncode == 0, listed.stderr
    rows = [line.split(";")[0] for line in listed.stdout.splitlines() if ";" in line][1:]
    assert {row.removeprefix("build-") for row in rows} == set(names)


@pytest.mark.slow
@pytest.mark.parametrize("broken", [False, True], ids=["passes", "fails"])
def test_the_check_job_fails_only_for_a_broken_module(
    repository: Path, tmp_path: Path, broken: bool
) -> None:
    # The programs that the job would install are already installed.
    for name in ("apt-get", "pip"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{Path(shutil.which(UV) or UV).parent}:"
    module = repository / "dev/dotenv.py"
    kept = module.read_text()
    module.write_text(kept + "import os\n" * broken)
    try:
        done = gitlab(repository, "--force-shell-executor", "check", path=path)
    finally:
        module.write_text(kept)
    assert bool(done.returncode) == broken, done.stdout + done.stderr
    assert ("dev/dotenv.py" in done.stdout + done.stderr) == broken
