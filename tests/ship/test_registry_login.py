"""`make login` by the identity of a CI job: on Azure, and for ECR with `cloud=aws`."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.fake_programs import FakePrograms, error_of
from tests.support.pipelines import AWS, Services

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
IMAGE = f"{HOST}/order-service"
RELEASE = f"{IMAGE}@sha256:{'a1' * 32}"
ROLE = "arn:aws:iam::123456789012:role/order-service-staging-push-1234567"
VARIABLES = {"AWS_REGION": "eu-central-1", "REGISTRY_ROLE": ROLE}
JOBS = {
    "github": {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://ci.example.com/token?v=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "any",
    },
    "gitlab": {"REGISTRY_ID_TOKEN": "e30.registry.c2ln", "KUBERNETES_ID_TOKEN": "e30.cluster.c2ln"},
    "circleci": {},
    "azure": {"REGISTRY_AUDIENCE": "api://registry", "CLUSTER_AUDIENCE": "api://cluster"},
}
"""What a job of a provider has besides, and the programs that print its token."""
PROGRAMS = {
    "github": ("curl", json.dumps({"value": "e30.registry.c2ln"})),
    "circleci": ("circleci", "e30.registry.c2ln"),
    "azure": ("az", "e30.registry.c2ln"),
}
CALLS = {
    "github": "https://ci.example.com/token?v=1&audience=sts.amazonaws.com",
    "circleci": 'circleci run oidc get --claims {"aud": "sts.amazonaws.com"}',
    "azure": "--output tsv --resource api://registry",
}
"""The ends of the calls that request a token for AWS, and for nothing else."""
FAKE_AWS = """#!/bin/sh
printf '%s\\n' "$AWS_REGION" "$AWS_ROLE_ARN" "$*" >> {seen}
cat "$AWS_WEB_IDENTITY_TOKEN_FILE" >> {seen}
echo secret
"""


@pytest.fixture
def job(services: Services, request: pytest.FixtureRequest, tmp_path: Path) -> FakePrograms:
    """Return a service with the CI of a provider, and fakes of the programs of its jobs."""
    provider: str = getattr(request, "param", "github")
    for folder in ("programs", "files"):
        (tmp_path / folder).mkdir()
    made = FakePrograms(
        shutil.copytree(services(provider, AWS), tmp_path / "service"), tmp_path / "programs"
    )
    if provider in PROGRAMS:
        made.add(*PROGRAMS[provider])
    made.add("docker", reads_stdin=True)
    made.write("aws", FAKE_AWS.format(seen=tmp_path / "seen"))
    return made


@pytest.mark.parametrize(("job", "provider"), [(each, each) for each in JOBS], indirect=["job"])
def test_the_token_of_the_job_is_exchanged_for_the_role(
    job: FakePrograms, provider: str, tmp_path: Path
) -> None:
    variables = JOBS[provider] | VARIABLES | {"IMAGE": IMAGE, "TMPDIR": str(tmp_path / "files")}
    done = job.make("login", **variables)
    assert done.returncode == 0, done.stderr
    *requests, login = job.calls()
    assert login["words"] == ["docker", "login", "--username", "AWS", "--password-stdin", HOST]
    assert login["stdin"] == "secret\n"
    called = [" ".join(call["words"]) for call in requests]
    assert [call.endswith(CALLS[provider]) for call in called] == [True] * (provider in CALLS)
    call = ["eu-central-1", ROLE, "ecr get-login-password", "e30.registry.c2ln"]
    assert (tmp_path / "seen").read_text().splitlines() == call
    assert list((tmp_path / "files").iterdir()) == []
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("written", [False, True], ids=["variable", "file"])
def test_the_registry_is_that_of_the_release_where_no_image_is_named(
    job: FakePrograms, written: bool
) -> None:
    given = {} if written else {"RELEASE": RELEASE}
    if written:
        (job.service / ".reports").mkdir(exist_ok=True)
        (job.service / ".reports" / "release").write_text(f"{RELEASE}\n")
    done = job.make("login", **JOBS["github"], **VARIABLES, **given)
    assert done.returncode == 0, done.stderr
    assert job.commands()[-1] == f"docker login --username AWS --password-stdin {HOST}"


@pytest.mark.parametrize("missing", ["IMAGE", *VARIABLES])
def test_a_missing_variable_is_named_before_a_token_is_requested(
    job: FakePrograms, missing: str
) -> None:
    variables = JOBS["github"] | VARIABLES | {"IMAGE": IMAGE}
    variables[missing] = ""
    named = {"IMAGE": "registry: give IMAGE or RELEASE"}.get(missing, f"{missing}: ")
    assert named in error_of(job.make("login", **variables))
    assert job.calls() == []


@pytest.mark.parametrize("job", ["azure"], indirect=True)
def test_without_a_token_no_login_is_tried(job: FakePrograms, tmp_path: Path) -> None:
    job.add("az", "")
    done = job.make("login", **JOBS["azure"], **VARIABLES, IMAGE=IMAGE)
    assert error_of(done) == "The CI job has no token"
    assert not (tmp_path / "seen").exists()


def test_a_failed_login_fails_the_target(job: FakePrograms) -> None:
    job.write("aws", "#!/bin/sh\necho AccessDenied >&2\nexit 254\n")
    done = job.make("login", **JOBS["github"], **VARIABLES, IMAGE=IMAGE)
    assert error_of(done) == "AccessDenied"
    assert not [command for command in job.commands() if command.startswith("docker")]


def test_azure_logs_in_by_a_token_of_its_service_connection(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "programs").mkdir()
    copy = shutil.copytree(services("azure"), tmp_path / "service")
    job = FakePrograms(copy, tmp_path / "programs")
    job.add("az", "t0ken")
    job.add("docker", reads_stdin=True)
    done = job.make("login", IMAGE="team.example.com/order-service", DOCKER_CONFIG=".reports")
    assert done.returncode == 0, done.stderr
    request = "az acr login --expose-token --name team.example.com --query accessToken --output tsv"
    assert request in job.commands()
    login = job.calls()[-1]
    user = "00000000-0000-0000-0000-000000000000"
    words = ["docker", "login", "--username", user, "--password-stdin", "team.example.com"]
    assert (login["words"], login["stdin"]) == (words, "t0ken")
