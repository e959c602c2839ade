"""The promises of `infrastructure/`: functions that raise an error if one is broken."""

import json
from collections.abc import Callable

from .infrastructure import TRUST, Result, inputs, instance, one, policy, statements, trust


def private(result: Result) -> dict[str, str]:
    """Return the zones of the private subnets in moto, by id."""
    subnets = result["subnets"]
    tagged = {s["SubnetId"]: {t["Key"]: t["Value"] for t in s.get("Tags", [])} for s in subnets}
    zones = {s["SubnetId"]: s["AvailabilityZone"] for s in subnets}
    role = "kubernetes.io/role/internal-elb"
    return {each: zone for each, zone in zones.items() if role in tagged[each]}


def two_zones(result: Result) -> None:
    assert len(set(private(result).values())) == 2
    assert len({s["availabilityZone"] for s in inputs(result, "Subnet").values()}) == 2
    assert instance(result)["MultiAZ"] is True


def private_subnets(result: Result) -> None:
    used = [
        one(result, "Cluster")["vpcConfig"]["subnetIds"],
        one(result, "NodeGroup")["subnetIds"],
        one(result, "SubnetGroup")["subnetIds"],
    ]
    assert [set(each) for each in used] == [private(result).keys()] * 3
    routes = {name: table["routes"] for name, table in inputs(result, "RouteTable").items()}
    for name, (route,) in routes.items():
        assert set(route) == {"cidrBlock", "gatewayId" if name == "public" else "natGatewayId"}
    tables = [it["routeTableId"] for it in inputs(result, "RouteTableAssociation").values()]
    assert len(tables) == 4


def private_database(result: Result) -> None:
    assert instance(result)["PubliclyAccessible"] is False
    rule = one(result, "SecurityGroupIngressRule")
    assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (5432, 5432, "tcp")
    assert rule["referencedSecurityGroupId"].startswith("sg-")
    assert "cidrIpv4" not in rule
    group = one(result, "SecurityGroup")
    assert not {"ingress", "egress"} & group.keys()
    assert one(result, "Instance")["vpcSecurityGroupIds"] == [rule["securityGroupId"]]
    assert not {"ingress", "egress"} & one(result, "DefaultSecurityGroup").keys()


def encrypted_database(result: Result) -> None:
    assert instance(result)["StorageEncrypted"] is True


def postgresql_18(result: Result) -> None:
    assert (instance(result)["Engine"], instance(result)["EngineVersion"]) == ("postgres", "18")


def backups(result: Result) -> None:
    assert instance(result)["BackupRetentionPeriod"] == 7
    declared = one(result, "Instance")
    assert declared["skipFinalSnapshot"] is False
    assert declared["finalSnapshotIdentifier"] == "order-service-staging-final"


def deletion_protection(result: Result) -> None:
    assert instance(result)["DeletionProtection"] is True


def managed_password(result: Result) -> None:
    declared = one(result, "Instance")
    assert declared["manageMasterUserPassword"] is True
    assert "password" not in declared
    assert result["outputs"]["database_secret"].startswith("arn:aws:secretsmanager:")


def encrypted_secrets(result: Result) -> None:
    config = one(result, "Cluster")["encryptionConfig"]
    assert config["resources"] == ["secrets"]
    assert config["provider"]["keyArn"].startswith("arn:aws:kms:")
    assert one(result, "Key")["enableKeyRotation"] is True


def hardened_nodes(result: Result) -> None:
    template = one(result, "LaunchTemplate")
    assert template["metadataOptions"] == {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    assert [disk["ebs"]["encrypted"] for disk in template["blockDeviceMappings"]] == ["true"]
    assert one(result, "NodeGroup")["launchTemplate"]["id"].startswith("lt-")


def pod_identity(result: Result) -> None:
    addons = inputs(result, "Addon")
    assert "eks-pod-identity-agent" in addons
    assert [it["serviceAccount"] for it in addons["vpc-cni"]["podIdentityAssociations"]] == [
        "aws-node"
    ]
    bound = one(result, "PodIdentityAssociation")
    assert (bound["namespace"], bound["serviceAccount"]) == ("external-secrets",) * 2
    assert bound["roleArn"].endswith("order-service-staging-secrets-1234567")
    for name in ("network", "secrets"):
        assert trust(result, name)["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert trust(result, name)["Action"] == ["sts:AssumeRole", "sts:TagSession"]


def network_policies(result: Result) -> None:
    values = json.loads(inputs(result, "Addon")["vpc-cni"]["configurationValues"])
    assert values["enableNetworkPolicy"] == "true"


def access_by_iam(result: Result) -> None:
    cluster = one(result, "Cluster")
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    assert "audit" in cluster["enabledClusterLogTypes"]


def least_privileges(result: Result) -> None:
    login = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    others = [it for it in statements(result) if it != login]
    assert len(others) == len(statements(result)) - 2
    assert "*" not in json.dumps(others)
    resources = {json.dumps(it["Resource"]) for it in others}
    secret = result["outputs"]["database_secret"]
    assert resources == {
        json.dumps([secret]),
        json.dumps("arn:aws:ecr:eu-central-1:123456789012:repository/order-service"),
    }
    attached = {it["policyArn"] for it in inputs(result, "RolePolicyAttachment").values()}
    assert {arn.rpartition("/")[2] for arn in attached} == {
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKSClusterPolicy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
    }


def policies_before_use(result: Result) -> None:
    needs = result["dependencies"]
    assert "cluster-AmazonEKSClusterPolicy" in needs["aws:eks/cluster:Cluster cluster"]
    nodes = {"nodes-AmazonEKSWorkerNodePolicy", "vpc-cni", "kube-proxy", "eks-pod-identity-agent"}
    assert nodes <= set(needs["aws:eks/nodeGroup:NodeGroup nodes"])


def immutable_scanned_images(result: Result) -> None:
    repository = one(result, "Repository")
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["name"] == "order-service"


def exact_trust_in_ci(result: Result) -> None:
    provider = one(result, "OpenIdConnectProvider")
    assert provider["url"] == TRUST["ci_issuer"]
    assert provider["clientIdLists"] == ["sts.amazonaws.com"]
    for role, subject in (("push", "push_subject"), ("pull", "deploy_subject")):
        found = trust(result, role)
        assert found["Principal"]["Federated"] == result["outputs"]["ci_provider"]
        assert found["Principal"]["Federated"].startswith("arn:aws:iam::")
        assert found["Action"] == ["sts:AssumeRoleWithWebIdentity"]
        assert found["Condition"] == {
            "StringEquals": {
                "ci.example.com/oidc:aud": "sts.amazonaws.com",
                "ci.example.com/oidc:sub": TRUST[subject],
            }
        }
    deploys = one(result, "IdentityProviderConfig")["oidc"]
    assert deploys["usernamePrefix"] + deploys["usernameClaim"] == "ci:sub"
    assert deploys["requiredClaims"] == {"sub": TRUST["deploy_subject"]}
    assert deploys["clientId"] == "kubernetes"


READS = {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}


def deploying_job_only_reads(result: Result) -> None:
    login, images = policy(result, "pull")
    assert (login["Action"], login["Resource"]) == ("ecr:GetAuthorizationToken", "*")
    assert set(images["Action"]) == READS
    assert images["Resource"] == result["outputs"]["registry_arn"]
    assert images["Resource"].endswith(":repository/order-service")
    attached = [it["role"] for it in inputs(result, "RolePolicyAttachment").values()]
    assert not [role for role in attached if "pull" in role]
    assert result["outputs"]["pull_role"] != result["outputs"]["push_role"]


TAGLESS = {"RolePolicy", "RolePolicyAttachment", "RouteTableAssociation"}


def names_and_tags(result: Result) -> None:
    assert instance(result)["DBInstanceIdentifier"] == "order-service-staging"
    assert one(result, "Cluster")["name"] == "order-service-staging"
    wanted = {"service": "order-service", "environment": "staging", "managed-by": "pulumi"}
    for it in result["resources"]:
        if it["type"].rpartition(":")[2] not in TAGLESS:
            assert it["inputs"].get("tags", {}).items() >= wanted.items(), it["name"]


PROMISES: dict[str, Callable[[Result], None]] = {
    promise.__name__: promise
    for promise in (
        two_zones,
        private_subnets,
        private_database,
        encrypted_database,
        postgresql_18,
        backups,
        deletion_protection,
        managed_password,
        encrypted_secrets,
        hardened_nodes,
        pod_identity,
        network_policies,
        access_by_iam,
        least_privileges,
        policies_before_use,
        immutable_scanned_images,
        exact_trust_in_ci,
        deploying_job_only_reads,
        names_and_tags,
    )
}
