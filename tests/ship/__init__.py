"""Pipelines of every CI provider, releases, signatures, and deployments to Kubernetes."""
