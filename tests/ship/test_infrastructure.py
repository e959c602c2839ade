"""The Pulumi program of `cloud=aws` keeps its promises, and rejects invalid configuration first."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import make
from tests.support.infrastructure import (
    TRUST,
    Result,
    broken,
    inputs,
    mutants,
    one,
    policy,
    render,
    run,
    trust,
)
from tests.support.infrastructure_promises import PROMISES

pytestmark = pytest.mark.slow

MUTANTS = mutants()
OTHER_REGISTRY = "arn:aws:ecr:eu-central-1:123456789012:repository/other"
OTHER_PROVIDER = "arn:aws:iam::123456789012:oidc-provider/other.example.com"
ENTRA = "https://sts.windows.net/0123/"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redis-123456"
INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "one zone": (
        {"zones": 1},
        "aws:region eu-central-1 has fewer than two zones for EKS: eu-central-1a",
    ),
    "no zone": (
        {"zones": 0},
        "aws:region eu-central-1 has fewer than two zones for EKS: none",
    ),
    "no region": (
        {"config": {"aws:region": ""}},
        "aws:region is not set: pulumi config set aws:region REGION",
    ),
    "small network": (
        {"config": {"cidr": "10.0.0.0/23"}},
        "cidr 10.0.0.0/23 is too small: give /16 to /22",
    ),
    "large network": (
        {"config": {"cidr": "10.0.0.0/8"}},
        "cidr 10.0.0.0/8 is too large: give /16 to /22",
    ),
    "public network": (
        {"config": {"cidr": "8.8.0.0/16"}},
        "cidr 8.8.0.0/16 is public: use 10/8, 172.16/12 or 192.168/16",
    ),
    "host instead of a network": (
        {"config": {"cidr": "10.0.0.1/16"}},
        "cidr is not a network: 10.0.0.1/16 has host bits set",
    ),
    "long name": (
        {"stack": "production-of-the-whole-departments"},
        "order-service-production-of-the-whole-departments has 49 characters",
    ),
    "name with a capital": (
        {"stack": "Production"},
        "stack Production: use a-z, 0-9 and single - in its name",
    ),
    "issuer without TLS": (
        {"config": TRUST | {"ci_issuer": "http://ci.example.com"}},
        "ci_issuer http://ci.example.com: give https://HOST or https://HOST/PATH",
    ),
    "host with a slash": (
        {"config": TRUST | {"ci_issuer": "https://ci.example.com/"}},
        "ci_issuer https://ci.example.com/: give https://HOST or https://HOST/PATH",
    ),
    "issuer without a subject": (
        {"config": TRUST | {"deploy_subject": ""}},
        "deploy_subject is not set: ci_issuer needs its exact value",
    ),
    "subject with a wildcard": (
        {"config": TRUST | {"push_subject": "repo:team/*"}},
        "push_subject contains a wildcard or space: ci_issuer needs its exact value",
    ),
    "secrets with a wildcard": (
        {"config": {"extra_secrets": ["arn:aws:secretsmanager:eu-central-1:1:secret:*"]}},
        "extra_secrets contains a wildcard: list each value",
    ),
    "one node": ({"config": {"node_count": 1}}, "node_count is 1: give 2 to 100"),
    "no backups": ({"config": {"backup_days": 0}}, "backup_days is 0: give 1 to 35"),
}
"""Scenarios with an invalid configuration, and their error."""
VALID: dict[str, dict[str, Any]] = {
    "with CI": {"config": TRUST},
    "without CI": {},
    "longest name": {"stack": "production-of-the-whole-department"},
    "smallest network": {"config": {"cidr": "192.168.4.0/22", "nat_gateways": 2}},
    "shared registry": {"config": TRUST | {"registry_stack": "organization/order-service/first"}},
    "issuer with a slash": {"config": TRUST | {"ci_issuer": ENTRA}},
    "more secrets": {"config": {"extra_secrets": [ARN]}},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("infrastructure"))


@pytest.fixture(scope="module")
def results(service: Path) -> dict[str, Result]:
    """Run the program, in all scenarios and with all mutants, in one process."""
    folder = service / "infrastructure"
    scenarios: dict[str, dict[str, Any]] = VALID | {name: it for name, (it, _) in INVALID.items()}
    scenarios |= {
        name: {"folder": broken(service, name, mutant), "config": TRUST}
        for name, mutant in MUTANTS.items()
    }
    asked: list[dict[str, Any]] = [
        {"config": {}} | it | {"folder": str(it.get("folder", folder))} for it in scenarios.values()
    ]
    return dict(zip(scenarios, run(service, asked), strict=True))


@pytest.mark.parametrize("promise", PROMISES)
def test_the_program_keeps_its_promise(results: dict[str, Result], promise: str) -> None:
    PROMISES[promise](results["with CI"])


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_breaks_its_promise(results: dict[str, Result], mutant: str) -> None:
    assert results[mutant]["error"] is None, results[mutant]["error"]
    with pytest.raises((AssertionError, KeyError)):
        PROMISES[MUTANTS[mutant]["promise"]](results[mutant])


def test_every_promise_has_a_mutant() -> None:
    assert {mutant["promise"] for mutant in MUTANTS.values()} == PROMISES.keys()


@pytest.mark.parametrize("scenario", INVALID)
def test_an_invalid_configuration_is_named_before_anything_is_created(
    results: dict[str, Result], scenario: str
) -> None:
    found = results[scenario]
    assert found["type"] == "InvalidConfiguration", found["error"]
    assert found["error"].startswith(INVALID[scenario][1])
    assert "\n" not in found["error"]
    assert found["resources"] == []


@pytest.mark.parametrize("scenario", VALID)
def test_a_valid_configuration_is_accepted(results: dict[str, Result], scenario: str) -> None:
    assert results[scenario]["error"] is None, results[scenario]["error"]
    assert len(results[scenario]["instances"]) == 1


def test_without_an_issuer_ci_is_not_trusted(results: dict[str, Result]) -> None:
    found = results["without CI"]
    for kind in ("OpenIdConnectProvider", "IdentityProviderConfig"):
        assert inputs(found, kind) == {}
    assert (found["outputs"]["push_role"], found["outputs"]["pull_role"]) == ("", "")


def test_a_second_stack_shares_registry_and_push_role(results: dict[str, Result]) -> None:
    found = results["shared registry"]
    assert inputs(found, "Repository") == inputs(found, "OpenIdConnectProvider") == {}
    assert len(inputs(found, "IdentityProviderConfig")) == 1
    assert found["outputs"]["registry"] == "other/images"
    assert found["outputs"]["push_role"] == "other-role"
    assert "push" not in inputs(found, "RolePolicy")


def test_a_second_stack_pulls_from_the_shared_registry_by_a_separate_role(
    results: dict[str, Result],
) -> None:
    found = results["shared registry"]
    assert found["outputs"]["pull_role"].endswith("role/order-service-staging-pull-1234567")
    assert trust(found, "pull") == {
        "Effect": "Allow",
        "Principal": {"Federated": OTHER_PROVIDER},
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Condition": {
            "StringEquals": {
                "ci.example.com/oidc:aud": "other-audience",
                "ci.example.com/oidc:sub": TRUST["deploy_subject"],
            }
        },
    }
    assert {it["Resource"] for it in policy(found, "pull")} == {"*", OTHER_REGISTRY}


def test_an_issuer_with_a_slash_at_its_end_is_trusted_by_its_name(
    results: dict[str, Result],
) -> None:
    found = results["issuer with a slash"]
    assert one(found, "IdentityProviderConfig")["oidc"]["issuerUrl"] == ENTRA
    for role in ("push", "pull"):
        names = trust(found, role)["Condition"]["StringEquals"].keys()
        assert names == {"sts.windows.net/0123/:aud", "sts.windows.net/0123/:sub"}


def test_two_nat_gateways_serve_a_zone_each(results: dict[str, Result]) -> None:
    tables = inputs(results["smallest network"], "RouteTable")
    used = {tables[f"private-{number}"]["routes"][0]["natGatewayId"] for number in (0, 1)}
    assert len(used) == 2


def test_further_secrets_become_readable(results: dict[str, Result]) -> None:
    policy = inputs(results["more secrets"], "RolePolicy")["read-secrets"]["policy"]
    assert ARN in policy


def test_the_types_of_the_program_are_correct(service: Path) -> None:
    done = make(service, "check-infrastructure")
    assert done.returncode == 0, done.stdout + done.stderr
    (service / "infrastructure" / "wrong.py").write_text('"""A bug."""\n\nlimit: int = "1"\n')
    done = make(service, "check-infrastructure")
    assert "wrong.py:3: error: Incompatible types" in done.stdout
