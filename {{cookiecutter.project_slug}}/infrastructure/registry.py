"""ECR, whose tags never move, and the role by which CI pushes to it without a stored key."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import ecr, iam

import roles
from settings import Settings

PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]


@dataclass(frozen=True)
class Registry:
    """The repository of the images, and the role of the job that pushes them."""

    repository: pulumi.Output[str]
    push_role: pulumi.Output[str]


def create(settings: Settings) -> Registry:
    """Create the repository and the trust in CI, or use those of another stack."""
    if stack := settings.text("registry_stack"):
        other = pulumi.StackReference(stack)
        return Registry(other.require_output("registry"), other.require_output("push_role"))
    repository = ecr.Repository(
        "images",
        name=settings.service,
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration={"scan_on_push": True},
        encryption_configurations=[{"encryption_type": "AES256"}],
        tags=settings.tags("images"),
    )
    issuer = settings.text("ci_issuer")
    role = _push_role(settings, repository, issuer) if issuer else None
    return Registry(repository.repository_url, role.arn if role else pulumi.Output.from_input(""))


def _push_role(settings: Settings, repository: ecr.Repository, issuer: str) -> roles.Role:
    audience = settings.text("push_audience")
    provider = iam.OpenIdConnectProvider(
        "ci", url=issuer, client_id_lists=[audience], tags=settings.tags("ci")
    )
    name = issuer.removeprefix("https://")
    claims = {f"{name}:aud": audience, f"{name}:sub": settings.text("push_subject")}
    trust = {
        "Principal": {"Federated": provider.arn},
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Condition": {"StringEquals": claims},
    }
    role = roles.create(settings, "ci", trust)
    # A login is not limited to a repository: AWS accepts no other resource for it.
    login = {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    roles.allow(role, "push", [login, {"Action": PUSH, "Resource": repository.arn}])
    return role
