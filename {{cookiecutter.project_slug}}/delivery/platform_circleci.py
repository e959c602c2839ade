"""A run of CircleCI, by its built-in variables."""

from .provenance import Run, from_platform

KIND = "https://circleci.com/docs/variables/"


def run() -> Run:
    """Return the run, as the platform tells of it."""
    pipeline = from_platform("CIRCLE_WORKFLOW_ID")
    return Run(
        builder=f"https://circleci.com/org/{from_platform('CIRCLE_ORGANIZATION_ID')}",
        kind=KIND,
        repository=from_platform("CIRCLE_REPOSITORY_URL"),
        commit=from_platform("CIRCLE_SHA1"),
        ref=from_platform("CIRCLE_BRANCH"),
        workflow=".circleci/config.yml",
        invocation=f"https://app.circleci.com/pipelines/workflows/{pipeline}",
        started_by="workflow",
    )
