"""A release from end to end: built, published, signed, and verified by cosign alone.

The engine, the registry and the tools are real; Sigstore is a private one.
"""

import json
from base64 import b64decode
from pathlib import Path

import httpx
import pytest

from tests.support.commands import must_run
from tests.support.needs import docker_is_running
from tests.support.released_service import NAME, OFFLINE, SIGNER, Make
from tests.support.running import free_ports
from tests.support.sigstore import Sigstore, tool

pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(not docker_is_running(), reason="Docker is not running"),
]

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
PLAIN = "--plain-http"
"""The local registry has no certificate."""


def cosign(*arguments: str | Path) -> str:
    """Run cosign outside of the service."""
    return must_run(tool("cosign"), *arguments, cwd=Path("/"))


def oras(folder: Path, *arguments: str) -> str:
    return must_run(tool("oras"), *arguments, cwd=folder)


def trusting(private_sigstore: Sigstore) -> list[str]:
    """Return the options of cosign that trust the signer of the release."""
    return [
        f"--trusted-root={private_sigstore.trusted_root}",
        *OFFLINE.split(),
        f"--certificate-identity={SIGNER.format('release.yml', 'main')}",
        f"--certificate-oidc-issuer={private_sigstore.issuer.url}",
    ]


def test_the_registry_has_the_release_by_its_digest(signed_release: str, registry: str) -> None:
    assert signed_release.startswith(f"{registry}/team/{NAME}@sha256:")
    digest = signed_release.partition("@")[2]
    url = f"http://{registry}/v2/team/{NAME}/manifests/{digest}"
    response = httpx.get(url, headers={"Accept": MANIFEST})
    assert (response.status_code, response.headers["docker-content-digest"]) == (200, digest)


def test_the_service_and_cosign_alone_verify_a_release(
    signed_release: str,
    make_release: Make,
    keyless_signer: dict[str, str],
    private_sigstore: Sigstore,
) -> None:
    make_release("verify", RELEASE=signed_release, **keyless_signer)
    cosign("verify", *trusting(private_sigstore), signed_release)
    tree = cosign("tree", signed_release)
    assert "https://sigstore.dev/cosign/sign/v1" in tree
    assert "https://cyclonedx.org/bom" in tree


def test_the_attested_sbom_lists_the_packages_of_the_image(
    signed_release: str, private_sigstore: Sigstore
) -> None:
    printed = cosign(
        "verify-attestation", *trusting(private_sigstore), "--type=cyclonedx", signed_release
    )
    statement = json.loads(b64decode(json.loads(printed)["payload"]))
    (subject,) = statement["subject"]
    assert signed_release.endswith(f"@sha256:{subject['digest']['sha256']}")
    assert statement["predicate"]["specVersion"] == "1.6"
    names = {part["name"] for part in statement["predicate"]["components"]}
    assert {"fastapi", "uvicorn", "libc6"} <= names
    assert not names & {"pytest", "ruff", "mypy"}


def test_a_copy_to_another_repository_keeps_signature_and_sbom(
    signed_release: str, registry: str, private_sigstore: Sigstore, tmp_path: Path
) -> None:
    copy = f"{registry}/copies/{NAME}"
    plain = ["--from-plain-http", "--to-plain-http"]
    oras(tmp_path, "copy", "--recursive", *plain, signed_release, f"{copy}:1")
    copied = f"{copy}@{signed_release.partition('@')[2]}"
    cosign("verify", *trusting(private_sigstore), copied)
    cosign("verify-attestation", *trusting(private_sigstore), "--type=cyclonedx", copied)


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
    signed_release: str,
    make_release: Make,
    keyless_signer: dict[str, str],
    variables: dict[str, str],
    reason: str,
) -> None:
    signer = keyless_signer | variables
    done = make_release("verify", fails=True, RELEASE=signed_release, **signer)
    assert reason in done.stderr
    assert f"RELEASE={signed_release} is not verified, do not run it" in done.stderr


def test_an_unsigned_release_is_rejected(
    other_release: str, make_release: Make, keyless_signer: dict[str, str]
) -> None:
    done = make_release("verify", fails=True, RELEASE=other_release, **keyless_signer)
    assert "no signatures found" in done.stderr


def test_bundles_of_another_image_are_rejected(
    signed_release: str,
    other_release: str,
    make_release: Make,
    keyless_signer: dict[str, str],
    tmp_path: Path,
) -> None:
    found = json.loads(oras(tmp_path, "discover", PLAIN, "--format=json", signed_release))
    assert found["referrers"]
    for referrer in found["referrers"]:
        fetched = oras(tmp_path, "manifest", "fetch", PLAIN, referrer["reference"])
        (layer,) = json.loads(fetched)["layers"]
        blob = f"{signed_release.partition('@')[0]}@{layer['digest']}"
        oras(tmp_path, "blob", "fetch", PLAIN, "--output=bundle.json", blob)
        bundle = f"bundle.json:{BUNDLE}"
        oras(tmp_path, "attach", PLAIN, f"--artifact-type={BUNDLE}", other_release, bundle)
    done = make_release("verify", fails=True, RELEASE=other_release, **keyless_signer)
    assert f"RELEASE={other_release} is not verified" in done.stderr


def test_a_release_without_its_sbom_is_rejected(
    other_release: str,
    make_release: Make,
    keyless_signer: dict[str, str],
    private_sigstore: Sigstore,
    tmp_path: Path,
) -> None:
    (tmp_path / "predicate.json").write_text("{}")
    options = [
        *("--yes", "--type=custom", f"--predicate={tmp_path}/predicate.json"),
        f"--identity-token={private_sigstore.issuer.token()}",
        f"--trusted-root={private_sigstore.trusted_root}",
        f"--signing-config={private_sigstore.signing_config}",
    ]
    cosign("attest", *options, other_release)
    # Any attestation of the signer is a signature for cosign.
    cosign("verify", *trusting(private_sigstore), other_release)
    done = make_release("verify", fails=True, RELEASE=other_release, **keyless_signer)
    assert f"RELEASE={other_release} is not verified" in done.stderr


def test_a_release_signed_by_a_job_of_another_branch_is_rejected(
    other_release: str,
    make_release: Make,
    keyless_signer: dict[str, str],
    private_sigstore: Sigstore,
) -> None:
    token = {"SIGSTORE_ID_TOKEN": private_sigstore.issuer.token(ref="refs/heads/feature")}
    make_release("sign", RELEASE=other_release, **token, **keyless_signer)
    done = make_release("verify", fails=True, RELEASE=other_release, **keyless_signer)
    assert f"RELEASE={other_release} is not verified" in done.stderr


def test_a_key_signs_a_release_and_another_key_is_rejected(
    other_release: str, make_release: Make, key_signer: dict[str, str], release_folder: Path
) -> None:
    make_release("sign", RELEASE=other_release, **key_signer)
    public = key_signer | {"SIGNER_KEY": f"{release_folder}/cosign.pub"}
    make_release("verify", RELEASE=other_release, **public)
    other = release_folder / "other"
    other.mkdir()
    must_run(tool("cosign"), "generate-key-pair", cwd=other, COSIGN_PASSWORD="")
    public["SIGNER_KEY"] = f"{other}/cosign.pub"
    done = make_release("verify", fails=True, RELEASE=other_release, **public)
    assert f"RELEASE={other_release} is not verified" in done.stderr


def test_an_unavailable_registry_is_reported(
    make_release: Make, keyless_signer: dict[str, str]
) -> None:
    release = f"127.0.0.1:{free_ports(1)[0]}/team/{NAME}@sha256:{'0' * 64}"
    done = make_release("verify", fails=True, RELEASE=release, **keyless_signer)
    assert "connection refused" in done.stderr
    assert f"RELEASE={release} is not verified" in done.stderr
