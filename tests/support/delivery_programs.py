"""Runs the delivery programs of a service, with the variables of a CI provider."""

import os
import subprocess
import sys
from pathlib import Path

DIGEST = f"sha256:{'a1' * 32}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGE = "registry.example.com/team/order-service"

GITHUB = {
    "GITHUB_SERVER_URL": "https://git.example.com",
    "GITHUB_REPOSITORY": "team/shop",
    "GITHUB_WORKFLOW_REF": "team/shop/.github/workflows/main.yml@refs/heads/main",
    "GITHUB_SHA": COMMIT,
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_EVENT_NAME": "push",
    "RUNNER_ENVIRONMENT": "github-hosted",
}
GITLAB = {
    "CI_SERVER_URL": "https://git.example.com",
    "CI_RUNNER_ID": "5",
    "CI_PROJECT_URL": "https://git.example.com/team/shop",
    "CI_COMMIT_SHA": COMMIT,
    "CI_COMMIT_REF_NAME": "main",
    "CI_CONFIG_PATH": ".gitlab-ci.yml",
    "CI_PIPELINE_URL": "https://git.example.com/team/shop/-/pipelines/7",
    "CI_PIPELINE_SOURCE": "push",
}
AZURE = {
    "SYSTEM_COLLECTIONURI": "https://git.example.com/team/",
    "SYSTEM_TEAMPROJECTID": "shop",
    "AGENT_ID": "5",
    "BUILD_REPOSITORY_URI": "https://git.example.com/team/shop",
    "BUILD_SOURCEVERSION": COMMIT,
    "BUILD_SOURCEBRANCH": "refs/heads/main",
    "BUILD_BUILDID": "7",
    "BUILD_REASON": "IndividualCI",
}
CIRCLECI = {
    "CIRCLE_ORGANIZATION_ID": "5",
    "CIRCLE_REPOSITORY_URL": "https://git.example.com/team/shop",
    "CIRCLE_SHA1": COMMIT,
    "CIRCLE_BRANCH": "main",
    "CIRCLE_WORKFLOW_ID": "7",
}
RUNS = {"github": GITHUB, "gitlab": GITLAB, "azure": AZURE, "circleci": CIRCLECI}


def python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a service, with nothing installed and no variable but these."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def error_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line with which a program has ended."""
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    return line
