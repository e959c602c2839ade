"""Signs with a key that never leaves Azure Key Vault, where Sigstore does not know who runs this.

The two functions are what `signer.py` asks of a signer. `SIGNER_IDENTITY` is the key, with its
version; who may use it for what Azure decides, by the identity of the service connection.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
from typing import Any

from .release import Release, required

IN_TOTO = "application/vnd.in-toto+json"
ALGORITHM = "ES256"
KEY = re.compile(r"https://[a-z0-9-]+\.vault\.azure\.net/keys/[A-Za-z0-9-]+/[0-9a-f]{32}")
MALFORMED = (ValueError, KeyError, TypeError)
"""What comes of reading a bundle that is none."""
EXAMPLE = "https://NAME.vault.azure.net/keys/delivery/0123456789abcdef0123456789abcdef"


def sign(release: Release, statements: dict[str, bytes]) -> dict[str, bytes]:
    """Let the key sign the digest and each statement, as an envelope of DSSE."""
    key = trusted()
    signature = {"key": key, "signature": signed(key, str(release).encode())}
    bundles = {"signature": json.dumps(signature).encode()}
    for name, statement in statements.items():
        envelope = {
            "payloadType": IN_TOTO,
            "payload": base64.b64encode(statement).decode(),
            "signatures": [{"keyid": key, "sig": signed(key, encoded(statement))}],
        }
        bundles[name] = json.dumps(envelope).encode()
    return bundles


def verify(release: Release, bundles: dict[str, bytes]) -> dict[str, bytes]:
    """Believe exactly `SIGNER_IDENTITY`, whatever key a bundle names."""
    key, statements = trusted(), {}
    for name, text in bundles.items():
        try:
            bundle: dict[str, Any] = json.loads(text)
            if name == "signature":
                data, signature = str(release).encode(), bundle["signature"]
            else:
                statements[name] = base64.b64decode(bundle["payload"], validate=True)
                (only,) = bundle["signatures"]
                data, signature = encoded(statements[name]), only["sig"]
        except MALFORMED:
            sys.exit(f"{release}: its {name} is no bundle of a key")
        if bundle.get("payloadType", IN_TOTO) != IN_TOTO:
            sys.exit(f"{release}: its {name} is no statement but {bundle['payloadType']}")
        if not is_signed(key, data, str(signature)):
            sys.exit(f"{release}: its {name} was not signed by {key}")
    return statements


def trusted() -> str:
    """Return the one key, with its version: without, it would be whichever is the newest."""
    given = required("SIGNER_IDENTITY", EXAMPLE)
    if not KEY.fullmatch(given):
        sys.exit(f"SIGNER_IDENTITY={given}: has to be a key with its version, such as {EXAMPLE}")
    return given


def encoded(statement: bytes) -> bytes:
    """Return what DSSE has signed of a statement: its type too, each with its length."""
    kind = IN_TOTO.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(statement), statement)


def signed(key: str, data: bytes) -> str:
    """Return the signature of some bytes, in base64."""
    answer = vault("sign", key, data)
    if not isinstance(answer.get("signature"), str):
        sys.exit(f"{key}: az says nothing of a signature")
    # The service itself speaks base64 for addresses.
    text = answer["signature"].translate(str.maketrans("-_", "+/")).rstrip("=")
    return str(text + "=" * (-len(text) % 4))


def is_signed(key: str, data: bytes, signature: str) -> bool:
    """Tell whether the key has signed these bytes."""
    return vault("verify", key, data, f"--signature={signature}").get("isValid") is True


def vault(what: str, key: str, data: bytes, *more: str) -> dict[str, Any]:
    """Ask Key Vault, and return what it says; or end with why it says nothing."""
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    asked = [f"--id={key}", f"--algorithm={ALGORITHM}", f"--digest={digest}", "--output=json"]
    try:
        done = subprocess.run(
            ["az", "keyvault", "key", what, *asked, *more],
            capture_output=True,
            text=True,
            check=False,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except FileNotFoundError:
        sys.exit("SIGNER=key_vault: az is not installed")
    except ValueError:
        answer = {}
    if not isinstance(answer, dict) or not answer:
        sys.exit(f"{key}: az keyvault key {what} failed: {' '.join(done.stderr.split())}")
    return answer
