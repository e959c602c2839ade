"""A VPC over two zones: public subnets for load balancers, private ones for nodes and database."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from settings import Settings


@dataclass(frozen=True)
class Network:
    """The VPC, and the private subnets of both zones."""

    vpc: pulumi.Output[str]
    private_subnets: list[pulumi.Output[str]]


def create(settings: Settings) -> Network:
    """Create the network; private subnets reach the internet through NAT gateways only."""
    vpc = ec2.Vpc(
        "network",
        cidr_block=str(settings.network),
        enable_dns_hostnames=True,
        tags=settings.tags(),
    )
    # Without rules: a resource that names no security group can neither send nor receive.
    ec2.DefaultSecurityGroup("default", vpc_id=vpc.id, tags=settings.tags("unused"))
    gateway = ec2.InternetGateway("internet", vpc_id=vpc.id, tags=settings.tags())
    cidrs = [str(cidr) for cidr in settings.network.subnets(prefixlen_diff=2)]
    public = [
        _subnet(settings, vpc.id, f"public-{number}", zone, cidrs[2 + number])
        for number, zone in enumerate(settings.zones)
    ]
    private = [
        _subnet(settings, vpc.id, f"private-{number}", zone, cidrs[number])
        for number, zone in enumerate(settings.zones)
    ]
    _route(settings, vpc.id, "public", public, {"gateway_id": gateway.id})
    gateways = [
        ec2.NatGateway(
            f"nat-{number}",
            subnet_id=public[number].id,
            allocation_id=ec2.Eip(f"nat-{number}", domain="vpc", tags=settings.tags("nat")).id,
            tags=settings.tags(f"nat-{number}"),
            opts=pulumi.ResourceOptions(depends_on=[gateway]),
        )
        for number in range(settings.number("nat_gateways", 1, 2))
    ]
    for number, subnet in enumerate(private):
        target = {"nat_gateway_id": gateways[number % len(gateways)].id}
        _route(settings, vpc.id, f"private-{number}", [subnet], target)
    return Network(vpc.id, [subnet.id for subnet in private])


def _subnet(
    settings: Settings, vpc: pulumi.Output[str], name: str, zone: str, cidr: str
) -> ec2.Subnet:
    role = "elb" if name.startswith("public") else "internal-elb"
    # Kubernetes finds the subnets of load balancers by these two tags.
    tags = {f"kubernetes.io/role/{role}": "1", f"kubernetes.io/cluster/{settings.name}": "shared"}
    return ec2.Subnet(
        name,
        vpc_id=vpc,
        availability_zone=zone,
        cidr_block=cidr,
        tags=settings.tags(name) | tags,
    )


def _route(
    settings: Settings,
    vpc: pulumi.Output[str],
    name: str,
    subnets: list[ec2.Subnet],
    target: dict[str, pulumi.Output[str]],
) -> None:
    route = ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", **target)
    table = ec2.RouteTable(name, vpc_id=vpc, routes=[route], tags=settings.tags(name))
    for number, subnet in enumerate(subnets):
        ec2.RouteTableAssociation(f"{name}-{number}", route_table_id=table.id, subnet_id=subnet.id)
