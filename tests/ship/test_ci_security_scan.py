"""Checkov finds nothing unexpected in the pipelines of any provider."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.ci_services import Services
from tools.pythons import UV, outside

CHECKOV = "checkov@3.3.30"

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


@pytest.mark.slow
@pytest.mark.parametrize("provider", FRAMEWORKS)
def test_checkov_finds_only_what_is_suppressed(services: Services, provider: str) -> None:
    passed, failed = checkov(services(provider), provider)
    # Of Azure it looks at containers alone, which no job has.
    assert passed or provider == "azure"
    assert failed == SUPPRESSED.get(provider, set())


@pytest.mark.slow
@pytest.mark.parametrize("provider", FRAMEWORKS)
def test_checkov_finds_what_is_wrong(tmp_path: Path, provider: str) -> None:
    name, text = BAD[provider]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    assert checkov(tmp_path, provider)[1]
