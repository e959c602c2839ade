"""A release from end to end: built, published, signed, and verified by a cosign of its own.

The engine, the registry and the tools are real; Sigstore is a private one.
"""

import json
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support import commands
from tests.support.baking import Baker
from tests.support.commands import must_run
from tests.support.needs import docker_is_running
from tests.support.running import free_ports
from tests.support.sigstore import (
    IMAGES,
    Sigstore,
    local_registry,
    sigstore,
    tool,
    write_signing_config,
)
from tests.support.template_releases import commit, git
from tools.pythons import UV

pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(not docker_is_running(), reason="Docker is not running"),
]

NAME = "released-service"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGNER = "https://github.com/team/shop/.github/workflows/{}@refs/heads/{}"
Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("release")


@pytest.fixture(scope="module")
def registry(folder: Path) -> Iterator[str]:
    with local_registry(folder) as address:
        yield address


@pytest.fixture(scope="module")
def private_sigstore(folder: Path) -> Iterator[Sigstore]:
    with sigstore(folder) as running:
        yield running


@pytest.fixture(scope="module")
def service(cookies_session: Cookies, folder: Path) -> Iterator[Path]:
    """Return a service whose tools are local images in place of the public ones."""
    service = Baker(cookies_session).bake(project_slug=NAME, release=True)
    compose = service / "release/compose.yaml"
    (base,) = [
        line.split()[1]
        for line in (service / "Dockerfile").read_text().splitlines()
        if line.startswith("FROM ") and " AS " not in line
    ]
    for name in ("cosign", "syft"):
        context = folder / name
        context.mkdir()
        shutil.copy(tool(name), context / name)
        (context / "Dockerfile").write_text(
            f'FROM {base}\nCOPY {name} /\nENTRYPOINT ["/{name}"]\nUSER 65532\n'
        )
        must_run("docker", "build", "--quiet", "--tag", f"{NAME}-{name}", context, cwd=context)
        compose.write_text(compose.read_text().replace(IMAGES[name], f"{NAME}-{name}"))
    must_run(UV, "lock", "--quiet", cwd=service)
    commit(service)
    yield service
    listed = must_run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", cwd=service)
    names = [name for name in listed.split() if NAME in name]
    must_run("docker", "image", "rm", "--force", *names, cwd=service)


@pytest.fixture(scope="module")
def make(service: Path, registry: str) -> Make:
    """Run targets of the service; `fails` expects an error."""

    def run(
        *targets: str, fails: bool = False, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        image = {"IMAGE": f"{registry}/team/{NAME}"}
        done = commands.make(service, *targets, **image | variables)
        assert (done.returncode != 0) == fails, f"{targets}\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture(scope="module")
def first(make: Make, service: Path) -> str:
    """Return the first release."""
    make("image", "save", "load", "publish")
    return (service / ".reports/release").read_text().strip()


@pytest.fixture(scope="module")
def key(folder: Path) -> dict[str, str]:
    """Return the variables for a key without a transparency log."""
    must_run(tool("cosign"), "generate-key-pair", cwd=folder, COSIGN_PASSWORD="")
    config = write_signing_config(folder / "key_only.json")
    return {
        "COSIGN": str(tool("cosign")),
        "COSIGN_PASSWORD": "",
        "SIGNER_KEY": f"{folder}/cosign.key",
        "SIGN_OPTIONS": f"--signing-config {config}",
        "VERIFY_OPTIONS": "--insecure-ignore-tlog",
    }


@pytest.fixture(scope="module")
def keyless(private_sigstore: Sigstore, service: Path) -> dict[str, str]:
    """Return the variables for a job of `release.yml` on main; the tools run as images."""
    for path in (private_sigstore.signing_config, private_sigstore.trusted_root):
        (service / ".reports").mkdir(exist_ok=True)
        shutil.copy(path, service / ".reports" / path.name)
    root = "--trusted-root .reports/trusted_root.json"
    return {
        "SIGN_OPTIONS": f"{root} --signing-config .reports/signing_config.json",
        "VERIFY_OPTIONS": f"{root} {OFFLINE}",
        "SIGNER_IDENTITY": SIGNER.format("release.yml", "main"),
        "SIGNER_ISSUER": private_sigstore.issuer.url,
    }


OFFLINE = "--insecure-ignore-tlog --insecure-ignore-sct --use-signed-timestamps"


@pytest.fixture(scope="module")
def signed(
    first: str, make: Make, keyless: dict[str, str], private_sigstore: Sigstore, service: Path
) -> str:
    """Return a release that a job of `release.yml` on main has signed."""
    make("sign", RELEASE=first, SIGSTORE_ID_TOKEN=private_sigstore.issuer.token(), **keyless)
    sbom = json.loads((service / ".reports/sbom.cdx.json").read_text())
    assert sbom["specVersion"] == "1.6"
    return first


def cosign(folder: Path, *arguments: str) -> str:
    """Run cosign outside of the service."""
    return must_run(tool("cosign"), *arguments, cwd=folder)


def trust(private_sigstore: Sigstore) -> list[str]:
    """Return the options of cosign for the signer of the release."""
    return [
        f"--trusted-root={private_sigstore.trusted_root}",
        *OFFLINE.split(),
        f"--certificate-identity={SIGNER.format('release.yml', 'main')}",
        f"--certificate-oidc-issuer={private_sigstore.issuer.url}",
    ]


def test_the_registry_has_the_release_by_its_digest(first: str, registry: str) -> None:
    assert first.startswith(f"{registry}/team/{NAME}@sha256:")
    digest = first.partition("@")[2]
    accepted = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    url = f"http://{registry}/v2/team/{NAME}/manifests/{digest}"
    response = httpx.get(url, headers=accepted)
    assert (response.status_code, response.headers["docker-content-digest"]) == (200, digest)


def test_a_signed_release_is_verified_by_the_service_and_by_cosign_alone(
    signed: str, make: Make, keyless: dict[str, str], private_sigstore: Sigstore, folder: Path
) -> None:
    make("verify", RELEASE=signed, **keyless)
    cosign(folder, "verify", *trust(private_sigstore), signed)
    tree = cosign(folder, "tree", signed)
    assert "https://sigstore.dev/cosign/sign/v1" in tree
    assert "https://cyclonedx.org/bom" in tree


def test_the_attested_sbom_lists_the_packages_of_the_image(
    signed: str, private_sigstore: Sigstore, folder: Path
) -> None:
    options = [*trust(private_sigstore), "--type=cyclonedx"]
    printed = cosign(folder, "verify-attestation", *options, signed)
    statement = json.loads(b64decode(json.loads(printed)["payload"]))
    (subject,) = statement["subject"]
    assert signed.endswith(subject["digest"]["sha256"])
    names = {part["name"] for part in statement["predicate"]["components"]}
    assert {"fastapi", "uvicorn", "libc6"} <= names
    assert not names & {"pytest", "ruff", "mypy"}


def test_a_copy_keeps_signature_and_sbom(
    signed: str, registry: str, private_sigstore: Sigstore, folder: Path
) -> None:
    copy = f"{registry}/copies/{NAME}"
    plain = ["--from-plain-http", "--to-plain-http"]
    must_run(tool("oras"), "copy", "--recursive", *plain, signed, f"{copy}:1", cwd=folder)
    copied = f"{copy}@{signed.partition('@')[2]}"
    for command in (["verify"], ["verify-attestation", "--type=cyclonedx"]):
        cosign(folder, *command, *trust(private_sigstore), copied)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"SIGNER_IDENTITY": SIGNER.format("other.yml", "main")}, "expected SAN value"),
        ({"SIGNER_IDENTITY": SIGNER.format("release.yml", "feature")}, "expected SAN value"),
        ({"SIGNER_IDENTITY": SIGNER.format(".*", "main")}, "expected SAN value"),
        ({"SIGNER_ISSUER": "https://oidc.example.com"}, "expected issuer value"),
        ({"SIGNER_IDENTITY": ""}, "certificate-identity"),
        ({"SIGNER_ISSUER": ""}, "certificate-oidc-issuer"),
    ],
)
def test_a_release_of_another_signer_is_rejected(
    signed: str, make: Make, keyless: dict[str, str], variables: dict[str, str], reason: str
) -> None:
    done = make("verify", fails=True, RELEASE=signed, **keyless | variables)
    assert reason in done.stderr
    assert f"RELEASE={signed} is not verified, do not run it" in done.stderr


def test_a_release_signed_by_a_job_of_another_branch_is_rejected(
    second: str, make: Make, keyless: dict[str, str], private_sigstore: Sigstore
) -> None:
    token = private_sigstore.issuer.token(ref="refs/heads/feature")
    make("sign", RELEASE=second, SIGSTORE_ID_TOKEN=token, **keyless)
    done = make("verify", fails=True, RELEASE=second, **keyless)
    assert "refs/heads/feature" in done.stderr


@pytest.fixture(scope="module")
def second(first: str, make: Make, service: Path) -> str:
    """Return the release after a change."""
    (package,) = service.glob("src/*/__init__.py")
    package.write_text(package.read_text() + "# Changed.\n")
    git(service, "commit", "--all", "--quiet", "--message", "Change")
    make("image", "save", "load", "publish")
    release = (service / ".reports/release").read_text().strip()
    assert release != first
    return release


def test_a_key_signs_as_well_and_another_key_is_rejected(
    second: str, make: Make, key: dict[str, str], folder: Path
) -> None:
    syft = {"SYFT": str(tool("syft"))}
    make("sign", RELEASE=second, **key, **syft)
    public = {"SIGNER_KEY": f"{folder}/cosign.pub"}
    make("verify", RELEASE=second, **key | public)
    other = folder / "other"
    other.mkdir()
    must_run(tool("cosign"), "generate-key-pair", cwd=other, COSIGN_PASSWORD="")
    done = make("verify", fails=True, RELEASE=second, **key | {"SIGNER_KEY": f"{other}/cosign.pub"})
    assert "is not verified" in done.stderr


@pytest.fixture(scope="module")
def third(second: str, make: Make, service: Path) -> str:
    """Return a release that is not signed."""
    (package,) = service.glob("src/*/__init__.py")
    package.write_text(package.read_text() + "# Changed again.\n")
    git(service, "commit", "--all", "--quiet", "--message", "Change")
    make("image", "save", "load", "publish")
    release = (service / ".reports/release").read_text().strip()
    assert release != second
    return release


def test_an_unsigned_release_is_rejected(third: str, make: Make, keyless: dict[str, str]) -> None:
    done = make("verify", fails=True, RELEASE=third, **keyless)
    assert "no signatures found" in done.stderr


def test_bundles_of_another_image_are_rejected(
    signed: str, third: str, make: Make, keyless: dict[str, str], folder: Path
) -> None:
    oras = tool("oras")
    found = json.loads(
        must_run(oras, "discover", "--plain-http", "--format=json", signed, cwd=folder)
    )
    for number, referrer in enumerate(found["referrers"]):
        name = f"bundle-{number}.json"
        manifest = json.loads(
            must_run(oras, "manifest", "fetch", "--plain-http", referrer["reference"], cwd=folder)
        )
        repository = signed.partition("@")[0]
        blob = f"{repository}@{manifest['layers'][0]['digest']}"
        must_run(oras, "blob", "fetch", "--plain-http", "--output", name, blob, cwd=folder)
        attach = ["attach", "--plain-http", f"--artifact-type={BUNDLE}", third, f"{name}:{BUNDLE}"]
        must_run(oras, *attach, cwd=folder)
    done = make("verify", fails=True, RELEASE=third, **keyless)
    assert "is not verified" in done.stderr


def test_a_release_without_its_sbom_is_rejected(
    third: str, make: Make, keyless: dict[str, str], private_sigstore: Sigstore, folder: Path
) -> None:
    (folder / "predicate.json").write_text("{}")
    options = [
        "--yes",
        f"--identity-token={private_sigstore.issuer.token()}",
        f"--trusted-root={private_sigstore.trusted_root}",
        f"--signing-config={private_sigstore.signing_config}",
    ]
    cosign(folder, "attest", *options, "--type=custom", "--predicate=predicate.json", third)
    cosign(folder, "verify", *trust(private_sigstore), third)
    done = make("verify", fails=True, RELEASE=third, **keyless)
    assert "cyclonedx" in done.stderr.lower() or "no matching attestations" in done.stderr
    assert "is not verified" in done.stderr


def test_an_unavailable_registry_is_reported(make: Make, keyless: dict[str, str]) -> None:
    release = f"127.0.0.1:{free_ports(1)[0]}/team/{NAME}@sha256:{'0' * 64}"
    done = make("verify", fails=True, RELEASE=release, **keyless)
    assert "connection refused" in done.stderr
    assert f"RELEASE={release} is not verified" in done.stderr
