"""A run of Azure Pipelines, by its predefined variables."""

from .provenance import Run, from_platform

KIND = "https://learn.microsoft.com/azure/devops/pipelines/build/variables"


def run() -> Run:
    """Return the run, as the platform tells of it."""
    project = f"{from_platform('SYSTEM_COLLECTIONURI')}{from_platform('SYSTEM_TEAMPROJECTID')}"
    return Run(
        builder=f"{project}/_settings/agentqueues?agent={from_platform('AGENT_ID')}",
        kind=KIND,
        repository=from_platform("BUILD_REPOSITORY_URI"),
        commit=from_platform("BUILD_SOURCEVERSION"),
        ref=from_platform("BUILD_SOURCEBRANCH"),
        workflow="azure-pipelines.yml",
        invocation=f"{project}/_build/results?buildId={from_platform('BUILD_BUILDID')}",
        started_by=from_platform("BUILD_REASON"),
    )
