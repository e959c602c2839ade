# SLSA provenance v1 from the predefined variables of Azure Pipelines.
(env.SYSTEM_COLLECTIONURI + env.SYSTEM_TEAMPROJECTID) as $project
| {
    buildDefinition: {
      buildType: "https://learn.microsoft.com/azure/devops/pipelines/build/variables",
      externalParameters: {
        workflow: {
          repository: env.BUILD_REPOSITORY_URI,
          ref: env.BUILD_SOURCEBRANCH,
          path: "azure-pipelines.yml"
        }
      },
      resolvedDependencies: [{
        uri: "git+\(env.BUILD_REPOSITORY_URI)@\(env.BUILD_SOURCEBRANCH)",
        digest: {gitCommit: env.BUILD_SOURCEVERSION}
      }]
    },
    runDetails: {
      builder: {id: "\($project)/_settings/agentqueues?agent=\(env.AGENT_ID)"},
      metadata: {invocationId: "\($project)/_build/results?buildId=\(env.BUILD_BUILDID)"}
    }
  }
