"""IAM roles: the principals that may assume them, and their permissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam

from settings import Settings


@dataclass(frozen=True)
class Role:
    """A role, whose ARN is known once all its managed policies are attached."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]


PODS = {
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
"""EKS Pod Identity, which gives a role to the pods of one service account."""


def service(name: str) -> dict[str, Any]:
    """Return the trust in a service of AWS."""
    return {"Principal": {"Service": f"{name}.amazonaws.com"}, "Action": ["sts:AssumeRole"]}


def create(
    settings: Settings, name: str, trust: dict[str, Any], policies: Sequence[str] = ()
) -> Role:
    """Create a role with managed policies of AWS, given by name."""
    role = iam.Role(
        f"{settings.name}-{name}", assume_role_policy=_policy([trust]), tags=settings.tags(name)
    )
    attached = [
        iam.RolePolicyAttachment(
            f"{name}-{policy}", role=role.name, policy_arn=f"arn:aws:iam::aws:policy/{policy}"
        ).id
        for policy in policies
    ]
    return Role(role.id, pulumi.Output.all(role.arn, *attached).apply(lambda known: known[0]))


def allow(role: Role, name: str, statements: list[dict[str, Any]]) -> None:
    """Add permissions to a role."""
    iam.RolePolicy(name, role=role.id, policy=_policy(statements))


def _policy(statements: list[dict[str, Any]]) -> pulumi.Output[str]:
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": allowed})
