"""EKS: a control plane with encrypted secrets, nodes in private subnets, identities for pods."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, eks, kms

import roles
from network import Network
from settings import Settings


@dataclass(frozen=True)
class Cluster:
    """The cluster, and the security group of its nodes."""

    name: pulumi.Output[str]
    server: pulumi.Output[str]
    certificate: pulumi.Output[str]
    security_group: pulumi.Output[str]


def create(settings: Settings, network: Network) -> Cluster:
    """Create the cluster, its add-ons and its nodes."""
    key = kms.Key(
        "cluster",
        description=f"Secrets of Kubernetes in {settings.name}",
        enable_key_rotation=True,
        tags=settings.tags("cluster"),
    )
    role = roles.create(settings, "cluster", roles.service("eks"), ["AmazonEKSClusterPolicy"])
    cluster = eks.Cluster(
        "cluster",
        name=settings.name,
        role_arn=role.arn,
        version=settings.config.require("kubernetes_version"),
        # Access only by access entries of IAM and by OIDC tokens; the creator is administrator.
        access_config={
            "authentication_mode": "API",
            "bootstrap_cluster_creator_admin_permissions": True,
        },
        bootstrap_self_managed_addons=False,
        enabled_cluster_log_types=["audit", "authenticator"],
        encryption_config={"provider": {"key_arn": key.arn}, "resources": ["secrets"]},
        vpc_config={
            "subnet_ids": network.private_subnets,
            "endpoint_private_access": True,
            "endpoint_public_access": True,
            "public_access_cidrs": settings.texts("api_cidrs"),
        },
        tags=settings.tags(),
    )
    before = [
        _network_addon(settings, cluster),
        _addon(settings, cluster, "kube-proxy"),
        _addon(settings, cluster, "eks-pod-identity-agent"),
    ]
    nodes = _nodes(settings, cluster, network, before)
    for name in ("coredns", "metrics-server"):
        _addon(settings, cluster, name, after=[nodes])
    return Cluster(
        cluster.name,
        cluster.endpoint,
        cluster.certificate_authority.apply(lambda found: found.data or ""),
        cluster.vpc_config.cluster_security_group_id.apply(lambda found: found or ""),
    )


def _nodes(
    settings: Settings, cluster: eks.Cluster, network: Network, after: list[eks.Addon]
) -> eks.NodeGroup:
    policies = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]
    role = roles.create(settings, "nodes", roles.service("ec2"), policies)
    # With one hop, the credentials of a node are out of reach of the pods on it.
    template = ec2.LaunchTemplate(
        "nodes",
        metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1},
        block_device_mappings=[
            {
                "device_name": "/dev/xvda",
                "ebs": {"volume_size": 20, "volume_type": "gp3", "encrypted": "true"},
            }
        ],
        tag_specifications=[{"resource_type": "instance", "tags": settings.tags("node")}],
        tags=settings.tags("nodes"),
    )
    count = settings.number("node_count", 2, 100)
    return eks.NodeGroup(
        "nodes",
        cluster_name=cluster.name,
        node_role_arn=role.arn,
        subnet_ids=network.private_subnets,
        ami_type="AL2023_x86_64_STANDARD",
        instance_types=[settings.config.require("node_type")],
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        scaling_config={"desired_size": count, "min_size": count, "max_size": 2 * count},
        update_config={"max_unavailable": 1},
        tags=settings.tags("nodes"),
        opts=pulumi.ResourceOptions(depends_on=after),
    )


def _network_addon(settings: Settings, cluster: eks.Cluster) -> eks.Addon:
    role = roles.create(settings, "network", roles.PODS, ["AmazonEKS_CNI_Policy"])
    return eks.Addon(
        "vpc-cni",
        cluster_name=cluster.name,
        addon_name="vpc-cni",
        configuration_values=json.dumps({"enableNetworkPolicy": "true"}),
        pod_identity_associations=[{"role_arn": role.arn, "service_account": "aws-node"}],
        tags=settings.tags("vpc-cni"),
    )


def _addon(
    settings: Settings, cluster: eks.Cluster, name: str, after: list[eks.NodeGroup] | None = None
) -> eks.Addon:
    return eks.Addon(
        name,
        cluster_name=cluster.name,
        addon_name=name,
        tags=settings.tags(name),
        opts=pulumi.ResourceOptions(depends_on=after),
    )
