"""The make targets of a release call cosign, syft, grype and docker, and reject invalid input."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.fake_programs import FakePrograms, error_of
from tests.support.pipelines import FEATURES, Services
from tools.pythons import outside

IMAGE = "registry.example.com/team/order-service"
RELEASE = f"{IMAGE}@sha256:{'a1' * 32}"
TOOLS = {tool.upper(): tool for tool in ("cosign", "syft", "grype")}
IDENTITY = {
    "SIGNER_IDENTITY": "https://ci.example.com/team/release@refs/heads/main",
    "SIGNER_ISSUER": "https://token.ci.example.com",
}


@pytest.fixture(scope="module")
def released(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(release=True)


@pytest.fixture
def fake(released: Path, tmp_path: Path) -> FakePrograms:
    """Return a service with recorders in place of all tools."""
    (tmp_path / "programs").mkdir()
    made = FakePrograms(shutil.copytree(released, tmp_path / "service"), tmp_path / "programs")
    for tool in ("docker", "cosign", "syft", "grype"):
        made.add(tool)
    return made


def test_a_login_passes_the_token_by_standard_input(fake: FakePrograms) -> None:
    fake.add("docker", reads_stdin=True)
    login = {
        "REGISTRY_USER": "robot",
        "REGISTRY_TOKEN": "t0ken",
        "DOCKER_CONFIG": ".reports/docker",
    }
    assert fake.make("login", RELEASE=RELEASE, **login).returncode == 0
    (call,) = fake.calls()
    assert call["stdin"] == "t0ken"
    expected = "docker login --username robot --password-stdin registry.example.com"
    assert fake.commands() == [expected]


def test_a_build_is_published_under_its_own_tag_and_its_digest_is_written(
    fake: FakePrograms,
) -> None:
    fake.add("docker", RELEASE)
    done = fake.make("publish", IMAGE=IMAGE, REVISION="abc123")
    assert done.returncode == 0, done.stderr
    assert (fake.service / ".reports/release").read_text() == f"{RELEASE}\n"
    tagged = [command for command in fake.commands() if command.startswith("docker push")]
    assert tagged == [f"docker push --quiet {IMAGE}:abc123-{RELEASE}"]


@pytest.mark.parametrize(
    ("image", "output", "error"),
    [("", RELEASE, "IMAGE is not set: give IMAGE=registry.example.com/team/name"), (IMAGE, "", "")],
)
def test_a_failed_publication_leaves_no_digest(
    fake: FakePrograms, image: str, output: str, error: str
) -> None:
    (fake.service / ".reports").mkdir()
    (fake.service / ".reports/release").write_text("an earlier one\n")
    fake.add("docker", output)
    assert error_of(fake.make("publish", IMAGE=image)) == error
    written = fake.service / ".reports/release"
    assert not written.exists() or written.read_text() == ""


@pytest.mark.parametrize("target", ["sbom", "sign", "verify"])
@pytest.mark.parametrize(
    "release",
    [
        "",
        IMAGE,
        f"{IMAGE}:latest",
        f"{IMAGE}@sha256:{'A1' * 32}",
        f"{RELEASE}0",
        "$(shell touch pwned)",
        '"; touch pwned; "',
    ],
)
def test_only_a_digest_is_a_release(fake: FakePrograms, target: str, release: str) -> None:
    done = fake.make(target, RELEASE=release, **TOOLS)
    assert error_of(done) == f"RELEASE={release}: give IMAGE@sha256:…; a tag can move"
    assert fake.calls() == []
    assert not (fake.service / "pwned").exists()


def test_the_default_release_is_the_published_one(fake: FakePrograms) -> None:
    (fake.service / ".reports").mkdir()
    (fake.service / ".reports/release").write_text(f"{RELEASE}\n")
    assert fake.make("sbom", RELEASE="", **TOOLS).returncode == 0
    assert fake.commands() == [f"syft scan registry:{RELEASE} --output cyclonedx-json@1.6"]


def test_the_image_and_its_sbom_are_signed(fake: FakePrograms) -> None:
    done = fake.make("sign", RELEASE=RELEASE, **TOOLS)
    assert done.returncode == 0, done.stderr
    assert fake.commands()[1:] == [
        f"cosign sign --yes {RELEASE}",
        f"cosign attest --yes --type cyclonedx --predicate .reports/sbom.cdx.json {RELEASE}",
    ]


def test_the_exact_signer_of_image_and_sbom_is_verified(fake: FakePrograms) -> None:
    done = fake.make("verify", RELEASE=RELEASE, **TOOLS, **IDENTITY)
    assert done.returncode == 0, done.stderr
    trusted = "--certificate-identity {SIGNER_IDENTITY} --certificate-oidc-issuer {SIGNER_ISSUER}"
    trusted = trusted.format(**IDENTITY)
    assert fake.commands() == [
        f"cosign verify {trusted} {RELEASE}",
        f"cosign verify-attestation {trusted} --type cyclonedx {RELEASE}",
    ]


def test_a_key_signs_and_is_verified_in_place_of_an_identity(fake: FakePrograms) -> None:
    key = {"SIGNER_KEY": "azurekms://vault.example.com/key/1", **IDENTITY}
    assert fake.make("sign", "verify", RELEASE=RELEASE, **TOOLS, **key).returncode == 0
    for command in fake.commands()[1:]:
        assert f"--key {key['SIGNER_KEY']} " in command
        assert "--certificate" not in command


@pytest.mark.parametrize("rejected", ["verify", "verify-attestation"])
def test_a_rejected_release_is_reported_with_the_reason_of_cosign(
    fake: FakePrograms, rejected: str
) -> None:
    fake.add("cosign", "no matching attestations", fails_for=rejected)
    error = error_of(fake.make("verify", RELEASE=RELEASE, **TOOLS, **IDENTITY))
    assert error.endswith(
        f"no matching attestations\n"
        f"RELEASE={RELEASE} is not verified, do not run it: see release/README.md"
    )


def test_azure_attests_and_verifies_provenance(services: Services, tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    copy = shutil.copytree(services("azure"), tmp_path / "service")
    fake = FakePrograms(copy, tmp_path / "programs")
    for tool in ("docker", "cosign", "syft"):
        fake.add(tool)
    run = {
        "SYSTEM_COLLECTIONURI": "https://dev.azure.com/team/",
        "SYSTEM_TEAMPROJECTID": "shop",
        "AGENT_ID": "5",
        "BUILD_REPOSITORY_URI": "https://dev.azure.com/team/shop/_git/orders",
        "BUILD_SOURCEVERSION": "0123456789abcdef0123456789abcdef01234567",
        "BUILD_SOURCEBRANCH": "refs/heads/main",
        "BUILD_BUILDID": "7",
    }
    key = {"SIGNER_KEY": "azurekms://vault.example.com/key/1"}
    done = fake.make("sign", "verify", RELEASE=RELEASE, **TOOLS, **key, **run)
    assert done.returncode == 0, done.stderr
    predicate = json.loads((copy / ".reports/provenance.json").read_text())
    (source,) = predicate["buildDefinition"]["resolvedDependencies"]
    assert source == {
        "uri": "git+https://dev.azure.com/team/shop/_git/orders@refs/heads/main",
        "digest": {"gitCommit": run["BUILD_SOURCEVERSION"]},
    }
    project = "https://dev.azure.com/team/shop"
    assert predicate["runDetails"]["metadata"]["invocationId"].startswith(f"{project}/_build/")
    attested = "--type slsaprovenance1"
    assert [attested in command for command in fake.commands()].count(True) == 2


def test_circleci_requests_a_token_of_the_root_issuer(services: Services, tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    copy = shutil.copytree(services("circleci"), tmp_path / "service")
    fake = FakePrograms(copy, tmp_path / "programs")
    fake.add("circleci", "a.b.c")
    fake.write("cosign", '#!/bin/sh\n[ "$SIGSTORE_ID_TOKEN" = a.b.c ]\n')
    fake.add("syft")
    assert fake.make("sign", RELEASE=RELEASE, **TOOLS).returncode == 0
    assert 'circleci run oidc get --root-issuer --claims {"aud": "sigstore"}' in fake.commands()


def test_an_audit_checks_the_locked_dependencies_and_accepts_what_is_accepted(
    fake: FakePrograms,
) -> None:
    accepted = "ignore:\n  - vulnerability: CVE-2026-1\n    reason: unused\n"
    (fake.service / "release/accepted.yaml").write_text(f"#   - vulnerability: CVE-9\n{accepted}")
    (fake.service / "uv.lock").touch()
    fake.add("uv")
    assert fake.make("scan", "UV=uv", **TOOLS).returncode == 0
    *_, export, audit, scan = fake.commands()
    assert export.startswith("uv export --quiet --locked --no-dev --no-emit-project --output-file")
    assert re.search("pip-audit==[0-9.]+ --strict --require-hashes --disable-pip", audit)
    assert audit.endswith("--requirement .reports/requirements.txt --ignore-vuln CVE-2026-1")
    options = "--config release/accepted.yaml --fail-on high --only-fixed"
    assert scan == f"grype {options} docker-archive:.reports/image.tar"


def test_the_tools_are_images_with_a_version(fake: FakePrograms) -> None:
    images = {
        name: service["image"]
        for name, service in yaml.safe_load((fake.service / "release/compose.yaml").read_text())[
            "services"
        ].items()
    }
    assert images.keys() == set(TOOLS.values())
    for image in images.values():
        assert re.search(r":v\d+\.\d+\.\d+$", image)
    assert fake.make("verify", RELEASE=RELEASE, **IDENTITY).returncode == 0
    compose = "docker compose --progress quiet --file release/compose.yaml run --rm --no-TTY"
    assert fake.commands()[0].startswith(f"{compose} cosign verify ")


@pytest.mark.parametrize("features", FEATURES, ids="-".join)
def test_a_service_has_only_the_targets_of_its_features(
    services: Services, features: tuple[str, ...]
) -> None:
    service = services("github", features)
    done = subprocess.run(
        ["make", "help"], cwd=service, env=outside(), capture_output=True, text=True, check=True
    )
    targets = set(re.findall(r"^  make ([a-z-]+)", done.stdout, re.MULTILINE))
    assert {"save", "audit"} <= targets
    release = {"login", "load", "scan", "publish", "sbom", "sign", "verify"}
    assert targets & release == (release if "release" in features else set())
    deploy = {"deploy", "probe", "manifests"}
    assert targets & deploy == (deploy if "kubernetes" in features else set())


@pytest.mark.parametrize(
    ("features", "words"),
    [((), "sign|cosign|publish|deploy|kube"), (("release",), "deploy|kube|staging|rollback")],
)
def test_files_do_not_mention_features_that_were_not_chosen(
    services: Services, features: tuple[str, ...], words: str
) -> None:
    service = services("github", features)
    files = [*(service / "release").iterdir(), *(service / ".github/workflows").iterdir()]
    found = {path.name for path in files if re.search(words, path.read_text(), re.IGNORECASE)}
    assert found == set()
