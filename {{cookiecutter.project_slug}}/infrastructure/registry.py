"""ECR, whose tags never move, and roles by which CI jobs push and pull without a stored key."""

from dataclasses import dataclass, replace

import pulumi
from pulumi_aws import ecr, iam

import roles
from settings import Settings

PULL = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
]
"""Also for signatures: `ecr:BatchGetImage` permits listing the referrers of an image."""
PUSH = [
    *PULL,
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]


@dataclass(frozen=True)
class Registry:
    """The repository of the images, and the trust in CI; an account has one of each."""

    url: pulumi.Output[str]
    arn: pulumi.Output[str]
    audience: pulumi.Output[str]
    provider: pulumi.Output[str]
    push_role: pulumi.Output[str]


def create(settings: Settings) -> Registry:
    """Create the repository and the trust in CI, or use those of another stack."""
    if stack := settings.text("registry_stack"):
        other = pulumi.StackReference(stack)
        names = ("registry", "registry_arn", "registry_audience", "ci_provider", "push_role")
        return Registry(*map(other.require_output, names))
    repository = ecr.Repository(
        "images",
        name=settings.service,
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration={"scan_on_push": True},
        encryption_configurations=[{"encryption_type": "AES256"}],
        tags=settings.tags("images"),
    )
    audience = pulumi.Output.from_input(settings.text("registry_audience"))
    none = pulumi.Output.from_input("")
    registry = Registry(repository.repository_url, repository.arn, audience, none, none)
    if not (issuer := settings.text("ci_issuer")):
        return registry
    provider = iam.OpenIdConnectProvider(
        "ci", url=issuer, client_id_lists=[audience], tags=settings.tags("ci")
    )
    registry = replace(registry, provider=provider.arn)
    push_role = _role(settings, registry, "push", settings.text("push_subject"), PUSH)
    return replace(registry, push_role=push_role)


def pull_role(settings: Settings, registry: Registry) -> pulumi.Output[str]:
    """Create the role of the job that deploys to this environment, if CI is trusted."""
    if not settings.text("ci_issuer"):
        return pulumi.Output.from_input("")
    return _role(settings, registry, "pull", settings.text("deploy_subject"), PULL)


def _role(
    settings: Settings, registry: Registry, name: str, subject: str, actions: list[str]
) -> pulumi.Output[str]:
    issuer = settings.text("ci_issuer").removeprefix("https://")
    claims = {f"{issuer}:aud": registry.audience, f"{issuer}:sub": subject}
    trust = {
        "Principal": {"Federated": registry.provider},
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Condition": {"StringEquals": claims},
    }
    role = roles.create(settings, name, trust)
    # A login is not limited to a repository: AWS accepts no other resource for it.
    login = {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    roles.allow(role, name, [login, {"Action": actions, "Resource": registry.arn}])
    return role.arn
