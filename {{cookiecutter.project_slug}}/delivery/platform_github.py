"""A run of GitHub Actions, by the variables of its runner."""

from .provenance import Run, from_platform

BUILDER = "https://github.com/actions/runner"
KIND = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"


def run() -> Run:
    """Return the run, as the platform tells of it."""
    server = from_platform("GITHUB_SERVER_URL")
    name = from_platform("GITHUB_REPOSITORY")
    file, _, ref = from_platform("GITHUB_WORKFLOW_REF").partition("@")
    number, attempt = from_platform("GITHUB_RUN_ID"), from_platform("GITHUB_RUN_ATTEMPT")
    return Run(
        builder=f"{BUILDER}/{from_platform('RUNNER_ENVIRONMENT')}",
        kind=KIND,
        repository=f"{server}/{name}",
        commit=from_platform("GITHUB_SHA"),
        ref=ref,
        workflow=file.removeprefix(f"{name}/"),
        invocation=f"{server}/{name}/actions/runs/{number}/attempts/{attempt}",
        started_by=from_platform("GITHUB_EVENT_NAME"),
    )
