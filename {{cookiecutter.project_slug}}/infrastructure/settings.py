"""The configuration of a stack, checked before anything is created."""

import ipaddress
import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

LONGEST_NAME = 48
"""Roles may have 64 characters: the name, a suffix such as `-secrets`, and eight of Pulumi."""
WITHOUT_EKS = ["use1-az3", "usw1-az2", "cac1-az3"]
"""Zones in which EKS cannot create a control plane."""


class InvalidConfiguration(pulumi.RunError):
    """Shown as one line, without a traceback."""


@dataclass(frozen=True)
class Settings:
    """Values of the stack; `Pulumi.yaml` describes them and has their defaults."""

    name: str
    service: str
    environment: str
    region: str
    zones: list[str]
    network: ipaddress.IPv4Network
    config: pulumi.Config

    def text(self, key: str) -> str:
        """Return a value that may be empty."""
        return self.config.get(key) or ""

    def number(self, key: str, least: int, most: int) -> int:
        """Return an integer within limits."""
        value = self.config.require_int(key)
        if not least <= value <= most:
            raise InvalidConfiguration(f"{key} is {value}: give {least} to {most}")
        return value

    def texts(self, key: str) -> list[str]:
        """Return a list of strings without wildcards."""
        values = [str(value) for value in self.config.require_object(key)]
        if any("*" in value for value in values):
            raise InvalidConfiguration(f"{key} contains a wildcard: list each value")
        return values

    def tags(self, suffix: str = "") -> dict[str, str]:
        """Return the tags of a resource, with its name."""
        name = f"{self.name}-{suffix}" if suffix else self.name
        owner = {"service": self.service, "environment": self.environment}
        return {"Name": name, **owner, "managed-by": "pulumi"}


def read() -> Settings:
    """Read the configuration; raise `InvalidConfiguration` for the first invalid value."""
    config = pulumi.Config()
    service, environment = pulumi.get_project(), pulumi.get_stack()
    name = f"{service}-{environment}"
    if not re.fullmatch(r"[a-z](-?[a-z0-9])*", name):
        raise InvalidConfiguration(f"stack {environment}: use a-z, 0-9 and single - in its name")
    if len(name) > LONGEST_NAME:
        excess = f"{len(name)} characters; AWS allows {LONGEST_NAME} here"
        raise InvalidConfiguration(f"{name} has {excess}: give the stack a shorter name")
    region = pulumi.Config("aws").get("region")
    if not region:
        raise InvalidConfiguration("aws:region is not set: pulumi config set aws:region REGION")
    settings = Settings(
        name, service, environment, region, _zones(region), _network(config.require("cidr")), config
    )
    _check_trust(settings)
    settings.number("nat_gateways", 1, 2)
    settings.number("node_count", 2, 100)
    settings.number("backup_days", 1, 35)
    settings.number("database_gigabytes", 20, 10_000)
    settings.texts("extra_secrets")
    return settings


def _zones(region: str) -> list[str]:
    found = aws.get_availability_zones(
        state="available",
        filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
        exclude_zone_ids=WITHOUT_EKS,
    ).names
    if len(found) < 2:
        names = ", ".join(found) or "none"
        raise InvalidConfiguration(f"aws:region {region} has fewer than two zones for EKS: {names}")
    return sorted(found)[:2]


def _network(cidr: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise InvalidConfiguration(f"cidr is not a network: {error}") from None
    if not 16 <= network.prefixlen <= 22:
        size = "small" if network.prefixlen > 22 else "large"
        raise InvalidConfiguration(f"cidr {cidr} is too {size}: give /16 to /22")
    # The network policies of the service allow backing services in these ranges only.
    private = map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
    if not any(network.subnet_of(each) for each in private):
        raise InvalidConfiguration(f"cidr {cidr} is public: use 10/8, 172.16/12 or 192.168/16")
    return network


def _check_trust(settings: Settings) -> None:
    issuer = settings.text("ci_issuer")
    names = ["deploy_subject", "deploy_audience"]
    if not settings.text("registry_stack"):
        names += ["push_subject", "registry_audience"]
    if issuer and not re.fullmatch(r"https://[a-z0-9.-]+((/[A-Za-z0-9._-]+)+/?)?", issuer):
        raise InvalidConfiguration(f"ci_issuer {issuer}: give https://HOST or https://HOST/PATH")
    for key in names if issuer else []:
        value = settings.text(key)
        if not value or re.search(r"[*?\s]", value):
            problem = "contains a wildcard or space" if value else "is not set"
            raise InvalidConfiguration(f"{key} {problem}: ci_issuer needs its exact value")
