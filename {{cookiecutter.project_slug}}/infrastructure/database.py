"""PostgreSQL on RDS, and the role by which External Secrets reads its password."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, eks, rds, vpc

import roles
from cluster import Cluster
from network import Network
from settings import Settings


@dataclass(frozen=True)
class Database:
    """The address of the database, and the secret with its user and password."""

    host: pulumi.Output[str]
    secret: pulumi.Output[str]


def create(settings: Settings, network: Network, cluster: Cluster) -> Database:
    """Create a database that only the nodes reach, and let External Secrets read its password."""
    group = ec2.SecurityGroup(
        "database",
        description="PostgreSQL, from the nodes only",
        vpc_id=network.vpc,
        tags=settings.tags("database"),
    )
    vpc.SecurityGroupIngressRule(
        "database",
        security_group_id=group.id,
        referenced_security_group_id=cluster.security_group,
        ip_protocol="tcp",
        from_port=5432,
        to_port=5432,
        tags=settings.tags("database"),
    )
    subnets = rds.SubnetGroup(
        "database", subnet_ids=network.private_subnets, tags=settings.tags("database")
    )
    gigabytes = settings.number("database_gigabytes", 20, 10_000)
    instance = rds.Instance(
        "database",
        identifier=settings.name,
        engine="postgres",
        engine_version="18",
        instance_class=settings.config.require("database_class"),
        allocated_storage=gigabytes,
        max_allocated_storage=5 * gigabytes,
        storage_type="gp3",
        storage_encrypted=True,
        multi_az=True,
        publicly_accessible=False,
        db_subnet_group_name=subnets.name,
        vpc_security_group_ids=[group.id],
        db_name="app",
        username="app",
        # RDS generates the password, keeps it in Secrets Manager and rotates it every seven days.
        manage_master_user_password=True,
        backup_retention_period=settings.number("backup_days", 1, 35),
        copy_tags_to_snapshot=True,
        auto_minor_version_upgrade=True,
        deletion_protection=settings.config.require_bool("protected"),
        skip_final_snapshot=False,
        final_snapshot_identifier=f"{settings.name}-final",
        enabled_cloudwatch_logs_exports=["postgresql"],
        tags=settings.tags("database"),
    )
    secret = instance.master_user_secrets.apply(lambda found: found[0].secret_arn or "")
    _let_external_secrets_read(settings, cluster, secret)
    return Database(instance.address, secret)


def _let_external_secrets_read(
    settings: Settings, cluster: Cluster, secret: pulumi.Output[str]
) -> None:
    role = roles.create(settings, "secrets", roles.PODS)
    actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    readable = [secret, *settings.texts("extra_secrets")]
    roles.allow(role, "read-secrets", [{"Action": actions, "Resource": readable}])
    eks.PodIdentityAssociation(
        "external-secrets",
        cluster_name=cluster.name,
        namespace="external-secrets",
        service_account="external-secrets",
        role_arn=role.arn,
        tags=settings.tags("secrets"),
    )
