"""The trust of the cluster in the CI job that deploys, without a stored credential."""

from pulumi_aws import eks

from cluster import Cluster
from settings import Settings


def trust(settings: Settings, cluster: Cluster) -> None:
    """Let one subject of the CI system authenticate; `deploy/access.yaml` authorizes it."""
    if issuer := settings.text("ci_issuer"):
        eks.IdentityProviderConfig(
            "ci",
            cluster_name=cluster.name,
            oidc={
                "identity_provider_config_name": "ci",
                "issuer_url": issuer,
                "client_id": settings.text("deploy_audience"),
                "username_claim": "sub",
                "username_prefix": "ci:",
                "required_claims": {"sub": settings.text("deploy_subject")},
            },
            tags=settings.tags("ci"),
        )
