"""With `cloud=aws`, the jobs of all providers log in to ECR by a token, without a stored key."""

import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from tests.support.gitlab_stages import extended
from tests.support.pipelines import AWS, Services
from tests.support.template import SERVICE
from tools.ci_dialects import SCHEMAS, documents

PROVIDERS = ["github", *SCHEMAS]
PUSHES, PULLS = {"publish", "sign"}, {"staging", "production", "rollback"}
WORKFLOWS = ("delivery", "deploy", "release", "rollback")
CHANGED = (
    r"    +(packages|id-token): (read|write) # .*",
    r" +(REGISTRY_USER|REGISTRY_TOKEN|AWS_REGION|REGISTRY_ROLE): .*",
    r"# For another registry than ghcr.io.*",
    r".*\b(delivery|deploy|release|rollback)(-aws)?\.yml\b.*",
)
"""Lines in which a workflow may differ from the one for another registry."""


def parts(services: Services, provider: str) -> dict[str, Any]:
    """Return the pipeline files of a service on AWS, by path."""
    found = documents(services(provider, AWS))
    return {path: document for path, (_, document) in found.items()}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_job_has_a_stored_login(services: Services, provider: str) -> None:
    text = str(parts(services, provider))
    assert "make login" in text or "targets: login" in text or "'login " in text
    assert not re.search(r"REGISTRY_(USER|TOKEN)|acr login|CI_REGISTRY|ghcr|packages", text)


def github_jobs(services: Services) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the name, the job and the step of each login."""
    for document in parts(services, "github").values():
        for name, job in document["jobs"].items():
            for step in job.get("steps", []):
                if "login" in step.get("run", ""):
                    yield name, job, step


def test_jobs_of_github_have_a_token_and_the_role_of_their_environment(services: Services) -> None:
    found = list(github_jobs(services))
    assert {name for name, _, _ in found} == {"publish", "sign", "deploy"}
    for name, job, step in found:
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        assert job.get("environment", "") == ("${{ inputs.overlay }}" if name == "deploy" else "")
        for variable in ("AWS_REGION", "REGISTRY_ROLE"):
            assert step["env"][variable] == f"${{{{ vars.{variable} }}}}"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_differs_only_in_its_login_and_permissions(name: str) -> None:
    folder = SERVICE / ".github" / "workflows"
    plain, aws = (folder / f"{name}.yml", folder / f"{name}-aws.yml")
    found = unified_diff(plain.read_text().splitlines(), aws.read_text().splitlines(), n=0)
    lines = [line for line in found if line[:2] != "@@"][2:]
    assert lines
    for line in lines:
        assert any(re.fullmatch(each, line[1:]) for each in CHANGED), line


def test_jobs_of_gitlab_have_a_token_for_aws_only_where_they_log_in(services: Services) -> None:
    (document,) = parts(services, "gitlab").values()
    jobs = {name: extended(document, document[name]) for name in (*PUSHES, *PULLS, "scan", "check")}
    others = {"sign": {"SIGSTORE_ID_TOKEN": {"aud": "sigstore"}}}
    others |= {name: {"KUBERNETES_ID_TOKEN": {"aud": "kubernetes"}} for name in PULLS}
    for name, job in jobs.items():
        logs_in = "login" in job["script"]
        assert logs_in == (name in PUSHES | PULLS)
        registry = {"REGISTRY_ID_TOKEN": {"aud": "sts.amazonaws.com"}} if logs_in else {}
        assert job.get("id_tokens", {}) == registry | others.get(name, {})
        packages = job.get("variables", {}).get("PACKAGES", "").split()
        assert ("awscli" in packages) == logs_in
        assert not logs_in or {"docker-cli", "docker-compose"} <= set(packages)
        assert (name in PULLS) == ({"curl", "kubernetes-client"} <= set(packages))
        # Variables of the project, and of the environment, which override them.
        assert not {"IMAGE", "REGISTRY_ROLE"} & job.get("variables", {}).keys()
        assert ("environment" in job) == (name in PULLS)


def test_jobs_of_circleci_have_the_role_of_their_last_context(services: Services) -> None:
    (document,) = parts(services, "circleci").values()
    contexts = {
        job["make"]["name"]: job["make"]["context"]
        for workflow in document["workflows"].values()
        for job in workflow["jobs"]
        if "make" in job and "login" in job["make"]["targets"]
    }
    overlay = "<< pipeline.parameters.overlay >>"
    assert contexts == {
        "publish": "registry",
        "sign": "registry",
        "staging": ["registry", "staging"],
        "production": ["registry", "production"],
        "rollback": ["registry", overlay],
    }


def test_jobs_of_azure_have_the_role_of_their_last_variable_group(services: Services) -> None:
    found = {}
    for document in parts(services, "azure").values():
        for stage in document["stages"]:
            (job,) = stage["jobs"]
            deployed = job.get("strategy", {}).get("runOnce", {}).get("deploy", {})
            for step in deployed.get("steps") or job["steps"]:
                if "login" in step.get("inputs", {}).get("inlineScript", ""):
                    groups = [each["group"] for each in stage["variables"]]
                    found[stage["stage"]] = (groups, step["inputs"]["azureSubscription"])
    pushes = (["delivery"], "delivery")
    assert found["publish"] == found["sign"] == pushes
    assert {*found} - PUSHES <= PULLS
    for name in found.keys() - PUSHES:
        assert found[name] == (["delivery", name], name)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_page_of_the_provider_names_where_each_role_goes(
    services: Services, provider: str
) -> None:
    service = services(provider, AWS)
    text = (service / "release" / f"{provider}.md").read_text()
    for word in ("REGISTRY_ROLE", "PUSH_ROLE", "PULL_ROLE", "push_subject", "deploy_subject"):
        assert f"`{word}`" in text
    assert not re.search(r"REGISTRY_(USER|TOKEN)", text + readme(service))


def readme(service: Path) -> str:
    return (service / "release" / "README.md").read_text()
