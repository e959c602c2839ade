"""Creates the resources of a Pulumi program in moto: botocore checks names, moto references.

Runs with the Python of `infrastructure/`; see `__main__.py`.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import boto3
from botocore.validate import ParamValidator
from moto.iam.aws_managed_policies import aws_managed_policies_data

Inputs = dict[str, Any]
MANAGED_POLICIES = json.loads(aws_managed_policies_data).keys()
Created = tuple[str, Inputs]
"""The id of a resource, and its outputs besides its inputs."""


def title(value: Any) -> Any:
    """Return nested parameters with names in title case, as EC2 and RDS have them."""
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: title(each) for name, each in value.items()}
    return [title(each) for each in value] if isinstance(value, list) else value


def whole(value: Any) -> Any:
    """Return nested values with integers, which Pulumi passes as floats."""
    if isinstance(value, dict):
        return {name: whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Resources:
    """Creates each type of resource by the method of its name."""

    def __init__(self, endpoint: str, region: str) -> None:
        access = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.ec2, self.ecr, self.eks, self.iam, self.kms, self.rds = (
            boto3.client(name, endpoint_url=endpoint, region_name=region, **access)
            for name in ("ec2", "ecr", "eks", "iam", "kms", "rds")
        )

    def create(self, token: str, name: str, inputs: Inputs) -> Created:
        """Create a resource of the type `aws:service/module:Type`."""
        words = re.findall("[A-Z][a-z]+", token.rpartition(":")[2])
        create: Callable[[str, Inputs], Created] = getattr(self, "_".join(words).lower())
        return create(name, whole(inputs))

    def vpc(self, _: str, i: Inputs) -> Created:
        found = self.ec2.create_vpc(CidrBlock=i["cidrBlock"])["Vpc"]
        return found["VpcId"], {}

    def default_security_group(self, _: str, i: Inputs) -> Created:
        wanted = {"vpc-id": i["vpcId"], "group-name": "default"}
        filters = [{"Name": key, "Values": [value]} for key, value in wanted.items()]
        (found,) = self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return found["GroupId"], {}

    def internet_gateway(self, _: str, i: Inputs) -> Created:
        found = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=found, VpcId=i["vpcId"])
        return found, {}

    def subnet(self, _: str, i: Inputs) -> Created:
        tags = [{"ResourceType": "subnet", "Tags": pairs(i["tags"])}]
        zone = {"AvailabilityZone": i["availabilityZone"], "TagSpecifications": tags}
        made = self.ec2.create_subnet(VpcId=i["vpcId"], CidrBlock=i["cidrBlock"], **zone)
        return made["Subnet"]["SubnetId"], {}

    def eip(self, _: str, i: Inputs) -> Created:
        return self.ec2.allocate_address(Domain=i["domain"])["AllocationId"], {}

    def nat_gateway(self, _: str, i: Inputs) -> Created:
        parameters = {"SubnetId": i["subnetId"], "AllocationId": i["allocationId"]}
        return self.ec2.create_nat_gateway(**parameters)["NatGateway"]["NatGatewayId"], {}

    def route_table(self, _: str, i: Inputs) -> Created:
        table = self.ec2.create_route_table(VpcId=i["vpcId"])["RouteTable"]["RouteTableId"]
        for route in i["routes"]:
            target = {"DestinationCidrBlock": route.pop("cidrBlock"), **title(route)}
            self.ec2.create_route(RouteTableId=table, **target)
        return table, {}

    def route_table_association(self, _: str, i: Inputs) -> Created:
        made = self.ec2.associate_route_table(
            RouteTableId=i["routeTableId"], SubnetId=i["subnetId"]
        )
        return made["AssociationId"], {}

    def security_group(self, name: str, i: Inputs) -> Created:
        made = self.ec2.create_security_group(
            GroupName=name, Description=i["description"], VpcId=i["vpcId"]
        )
        return made["GroupId"], {}

    def security_group_ingress_rule(self, name: str, i: Inputs) -> Created:
        rule: Inputs = {
            "IpProtocol": i["ipProtocol"],
            "FromPort": i["fromPort"],
            "ToPort": i["toPort"],
        }
        if "referencedSecurityGroupId" in i:
            rule["UserIdGroupPairs"] = [{"GroupId": i["referencedSecurityGroupId"]}]
        if "cidrIpv4" in i:
            rule["IpRanges"] = [{"CidrIp": i["cidrIpv4"]}]
        self.ec2.authorize_security_group_ingress(
            GroupId=i["securityGroupId"], IpPermissions=[rule]
        )
        return name, {}

    def launch_template(self, name: str, i: Inputs) -> Created:
        names = ("metadataOptions", "blockDeviceMappings", "tagSpecifications")
        data = title({each: i[each] for each in names if each in i})
        for mapping in data.get("BlockDeviceMappings", []):
            if "Encrypted" in mapping["Ebs"]:
                mapping["Ebs"]["Encrypted"] = mapping["Ebs"]["Encrypted"] == "true"
        for tagged in data["TagSpecifications"]:
            tagged["Tags"] = pairs(tagged["Tags"])
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        return made["LaunchTemplate"]["LaunchTemplateId"], {"latestVersion": 1}

    def key(self, _: str, i: Inputs) -> Created:
        made = self.kms.create_key(Description=i["description"])["KeyMetadata"]
        return made["KeyId"], {"arn": made["Arn"]}

    def role(self, name: str, i: Inputs) -> Created:
        name += "-1234567"  # Pulumi adds as many characters.
        trust = {"AssumeRolePolicyDocument": i["assumeRolePolicy"]}
        made = self.iam.create_role(RoleName=name, Tags=pairs(i["tags"]), **trust)["Role"]
        return name, {"name": name, "arn": made["Arn"]}

    def role_policy_attachment(self, name: str, i: Inputs) -> Created:
        # That moto creates all managed policies, after each reset, takes seconds.
        assert i["policyArn"].removeprefix("arn:aws:iam::aws:policy/") in MANAGED_POLICIES
        self.iam.get_role(RoleName=i["role"])
        return name, {}

    def role_policy(self, name: str, i: Inputs) -> Created:
        self.iam.put_role_policy(RoleName=i["role"], PolicyName=name, PolicyDocument=i["policy"])
        return name, {}

    def open_id_connect_provider(self, _: str, i: Inputs) -> Created:
        given = {"Url": i["url"], "ClientIDList": i["clientIdLists"]}
        arn = self.iam.create_open_id_connect_provider(**given)["OpenIDConnectProviderArn"]
        return arn, {"arn": arn}

    def cluster(self, _: str, i: Inputs) -> Created:
        names = {"name", "version", "roleArn", "accessConfig", "bootstrapSelfManagedAddons", "tags"}
        network = i["vpcConfig"]
        if "encryptionConfig" in i:
            i["encryptionConfig"] = [i["encryptionConfig"]]
            names.add("encryptionConfig")
        made = self.eks.create_cluster(
            resourcesVpcConfig=network, **{each: i[each] for each in names}
        )["cluster"]
        subnets = self.ec2.describe_subnets(SubnetIds=network["subnetIds"])["Subnets"]
        group = {"description": "nodes", "vpcId": subnets[0]["VpcId"]}
        nodes = self.security_group("nodes", group)[0]
        return i["name"], {
            "endpoint": made["endpoint"],
            "certificateAuthority": made["certificateAuthority"],
            "vpcConfig": network | {"clusterSecurityGroupId": nodes},
        }

    def node_group(self, name: str, i: Inputs) -> Created:
        names = ("clusterName", "scalingConfig", "instanceTypes", "amiType", "updateConfig", "tags")
        given = {each: i[each] for each in (*names, "launchTemplate") if each in i}
        references = {"subnets": i["subnetIds"], "nodeRole": i["nodeRoleArn"]}
        self.eks.create_nodegroup(nodegroupName=name, **references, **given)
        return name, {}

    def addon(self, name: str, i: Inputs) -> Created:
        return self._checked("CreateAddon", name, i)

    def pod_identity_association(self, name: str, i: Inputs) -> Created:
        return self._checked("CreatePodIdentityAssociation", name, i)

    def identity_provider_config(self, name: str, i: Inputs) -> Created:
        oidc = {re.sub("Url$|Id$", lambda end: end[0], key): it for key, it in i["oidc"].items()}
        return self._checked("AssociateIdentityProviderConfig", name, i | {"oidc": oidc})

    def _checked(self, operation: str, name: str, i: Inputs) -> Created:
        """Check what moto lacks: parameters by botocore, the cluster and roles in moto."""
        shape = self.eks.meta.service_model.operation_model(operation).input_shape
        report = ParamValidator().validate(i, shape)
        if report.has_errors():
            raise ValueError(f"{name}: {report.generate_report()}")
        self.eks.describe_cluster(name=i["clusterName"])
        for role in (i, *i.get("podIdentityAssociations", [])):
            if "roleArn" in role:
                self.iam.get_role(RoleName=role["roleArn"].rpartition("/")[2])
        return name, {}

    def subnet_group(self, name: str, i: Inputs) -> Created:
        text = {"DBSubnetGroupName": name, "DBSubnetGroupDescription": name}
        self.rds.create_db_subnet_group(SubnetIds=i["subnetIds"], **text)
        return name, {"name": name}

    def instance(self, name: str, i: Inputs) -> Created:
        names = {
            "identifier": "DBInstanceIdentifier",
            "instanceClass": "DBInstanceClass",
            "dbName": "DBName",
            "dbSubnetGroupName": "DBSubnetGroupName",
            "username": "MasterUsername",
            "manageMasterUserPassword": "ManageMasterUserPassword",
            "password": "MasterUserPassword",
            "multiAz": "MultiAZ",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
        }
        if "password" in i:
            i["password"] = "password"  # noqa: S105  # Instead of a secret output.
        local = {"skipFinalSnapshot", "finalSnapshotIdentifier", "tags"}
        given = title({names.get(key, key): i[key] for key in i.keys() - local})
        self.ec2.describe_security_groups(GroupIds=i["vpcSecurityGroupIds"])
        made = self.rds.create_db_instance(Tags=pairs(i["tags"]), **given)["DBInstance"]
        secret = made.get("MasterUserSecret", {}).get("SecretArn", "arn:aws:none:::none")
        address = made["Endpoint"]["Address"]
        return name, {"address": address, "masterUserSecrets": [{"secretArn": secret}]}

    def repository(self, _: str, i: Inputs) -> Created:
        names = ("imageTagMutability", "imageScanningConfiguration")
        given = {each: i[each] for each in names if each in i}
        made = self.ecr.create_repository(repositoryName=i["name"], **given)["repository"]
        return i["name"], {"arn": made["repositoryArn"], "repositoryUrl": made["repositoryUri"]}
