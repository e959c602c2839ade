"""Network, cluster, database and registry of one environment; see README.md."""

import pulumi

import ci
import cluster
import database
import network
import registry
import settings

stack = settings.read()
subnets = network.create(stack)
kubernetes = cluster.create(stack, subnets)
postgres = database.create(stack, subnets, kubernetes)
images = registry.create(stack)
ci.trust(stack, kubernetes)

# `make overlay` reads exactly these; a stack that shares the registry reads some of them.
pulumi.export("region", stack.region)
pulumi.export("registry", images.url)
pulumi.export("registry_audience", images.audience)
pulumi.export("push_role", images.push_role)
pulumi.export("pull_role", registry.pull_role(stack, images))
pulumi.export("cluster_name", kubernetes.name)
pulumi.export("cluster_server", kubernetes.server)
pulumi.export("cluster_certificate", kubernetes.certificate)
pulumi.export("deploy_audience", stack.text("deploy_audience"))
pulumi.export("deploy_subject", stack.text("deploy_subject"))
pulumi.export("database_host", postgres.host)
pulumi.export("database_secret", postgres.secret)
pulumi.export("registry_arn", images.arn)
pulumi.export("ci_provider", images.provider)
