"""A run of GitLab CI/CD, by its predefined variables."""

from .provenance import Run, from_platform

KIND = "https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1"


def run() -> Run:
    """Return the run, as the platform tells of it."""
    return Run(
        builder=f"{from_platform('CI_SERVER_URL')}/-/runners/{from_platform('CI_RUNNER_ID')}",
        kind=KIND,
        repository=from_platform("CI_PROJECT_URL"),
        commit=from_platform("CI_COMMIT_SHA"),
        ref=from_platform("CI_COMMIT_REF_NAME"),
        workflow=from_platform("CI_CONFIG_PATH"),
        invocation=from_platform("CI_PIPELINE_URL"),
        started_by=from_platform("CI_PIPELINE_SOURCE"),
    )
