"""The signer of Azure: a key that never leaves its vault, here one that openssl holds."""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tools.pythons import outside

KEY = f"https://vault.vault.azure.net/keys/delivery/{'1' * 32}"
OTHER = f"https://vault.vault.azure.net/keys/delivery/{'2' * 32}"
DIGEST = f"sha256:{'a' * 64}"
AZ = """\
#!{python}
\"\"\"Signs and verifies as `az` does, with a key of openssl for each version.\"\"\"
import base64, json, pathlib, subprocess, sys, tempfile
assert sys.argv[1:3] == ["keyvault", "key"], sys.argv
told = dict(each.removeprefix("--").split("=", 1) for each in sys.argv[4:])
assert told["algorithm"] == "ES256" and told["output"] == "json", told
folder = pathlib.Path({folder!r})
key = folder / (told["id"].rpartition("/")[2] + ".pem")
if not key.exists():
    sys.exit("ERROR: (KeyNotFound) A key with this version was not found")
digest = base64.b64decode(told["digest"], validate=True)
assert len(digest) == 32
with tempfile.TemporaryDirectory() as made:
    given, signed = pathlib.Path(made, "digest"), pathlib.Path(made, "signature")
    given.write_bytes(digest)
    use = ["openssl", "pkeyutl", "-inkey", str(key), "-in", str(given)]
    if sys.argv[3] == "sign":
        subprocess.run([*use, "-sign", "-out", str(signed)], check=True)
        text = base64.urlsafe_b64encode(signed.read_bytes()).decode().rstrip("=")
        print(json.dumps({{"keyId": told["id"], "algorithm": "ES256", "signature": text}}))
    else:
        signed.write_bytes(base64.b64decode(told["signature"], validate=True))
        done = subprocess.run([*use, "-verify", "-sigfile", str(signed)], capture_output=True)
        print(json.dumps({{"isValid": done.returncode == 0}}))
"""
ASK = """\
import json, sys
from delivery.key_vault import sign, verify
from delivery.release import Release
what, digest, given = json.loads(sys.stdin.read())
given = {name: text.encode() for name, text in given.items()}
made = {"sign": sign, "verify": verify}[what](Release("registry.example.com/a", digest), given)
print(json.dumps({name: text.decode() for name, text in made.items()}))
"""
STATEMENTS = {"provenance": '{"_type": "provenance"}', "sbom": '{"_type": "sbom"}'}


class Vault:
    """A service for Azure, and what it says when it signs and verifies."""

    def __init__(self, service: Path, folder: Path) -> None:
        self.service, self.folder = service, folder
        for version in ("1", "2"):
            command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]
            subprocess.run([*command, folder / f"{version * 32}.pem"], check=True)
        (folder / "az").write_text(AZ.format(python=sys.executable, folder=str(folder)))
        (folder / "az").chmod(0o755)

    def ask(
        self, what: str, given: dict[str, str], digest: str = DIGEST, key: str = KEY
    ) -> subprocess.CompletedProcess[str]:
        """Sign or verify, in a process of its own."""
        variables = {"PATH": f"{self.folder}:{outside()['PATH']}", "SIGNER_IDENTITY": key}
        return subprocess.run(
            [sys.executable, "-c", ASK],
            cwd=self.service,
            env=outside() | variables,
            input=json.dumps([what, digest, given]),
            capture_output=True,
            text=True,
            check=False,
        )

    def signed(self) -> dict[str, str]:
        """Return the bundles of a release."""
        done = self.ask("sign", STATEMENTS)
        assert done.returncode == 0, done.stderr
        bundles: dict[str, str] = json.loads(done.stdout)
        return bundles


@pytest.fixture(scope="module")
def vault(cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    service = Baker(cookies_session).bake(ci="azure", database="none")
    return Vault(service, tmp_path_factory.mktemp("vault"))


def test_what_the_key_has_signed_is_believed(vault: Vault) -> None:
    bundles = vault.signed()
    assert bundles.keys() == {"signature", *STATEMENTS}
    done = vault.ask("verify", bundles)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == STATEMENTS


def test_a_statement_is_signed_as_its_format_says(vault: Vault) -> None:
    envelope = json.loads(vault.signed()["sbom"])
    payload = base64.b64decode(envelope["payload"])
    assert payload.decode() == STATEMENTS["sbom"]
    kind = "application/vnd.in-toto+json"
    data = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    (vault.folder / "digest").write_bytes(hashlib.sha256(data).digest())
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    (vault.folder / "signature").write_bytes(signature)
    command = ["openssl", "pkeyutl", "-verify", "-inkey", f"{'1' * 32}.pem", "-in", "digest"]
    subprocess.run([*command, "-sigfile", "signature"], cwd=vault.folder, check=True)


def forged(name: str, bundle: str) -> str:
    """Return a bundle that says something else, with the signature that it had."""
    held = json.loads(bundle)
    if name == "signature":
        return json.dumps(held | {"signature": base64.b64encode(b"no signature").decode()})
    return json.dumps(held | {"payload": base64.b64encode(b'{"_type": "forged"}').decode()})


@pytest.mark.parametrize("name", ["signature", *STATEMENTS])
def test_what_was_changed_is_refused(vault: Vault, name: str) -> None:
    bundles = vault.signed()
    done = vault.ask("verify", bundles | {name: forged(name, bundles[name])})
    assert done.returncode == 1
    assert done.stderr == f"registry.example.com/a@{DIGEST}: its {name} was not signed by {KEY}\n"


def test_the_signature_of_another_digest_is_refused(vault: Vault) -> None:
    done = vault.ask("verify", vault.signed(), digest=f"sha256:{'b' * 64}")
    assert done.returncode == 1
    assert "its signature was not signed by" in done.stderr


def test_a_bundle_cannot_say_which_key_is_believed(vault: Vault) -> None:
    done = vault.ask("verify", vault.signed(), key=OTHER)
    assert done.returncode == 1
    assert done.stderr.endswith(f"its signature was not signed by {OTHER}\n")


@pytest.mark.parametrize("text", ["", "[]", "{}", '"text"', '{"payload": "?", "signatures": []}'])
def test_what_is_no_bundle_is_refused_in_a_line(vault: Vault, text: str) -> None:
    done = vault.ask("verify", {"sbom": text})
    assert done.returncode == 1
    assert done.stderr == f"registry.example.com/a@{DIGEST}: its sbom is no bundle of a key\n"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "SIGNER_IDENTITY is not set; such as https://"),
        (KEY[:-33], f"SIGNER_IDENTITY={KEY[:-33]}: has to be a key with its version"),
        (KEY[:-1] + "*", "has to be a key with its version"),
        (KEY[:-1] + "0", "az keyvault key sign failed: ERROR: (KeyNotFound)"),
    ],
)
def test_a_key_that_cannot_be_meant_is_named(vault: Vault, key: str, said: str) -> None:
    done = vault.ask("sign", STATEMENTS, key=key)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
