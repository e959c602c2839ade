"""An OIDC issuer on this machine, of tokens like those of GitHub Actions."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from .commands import must_run


@dataclass(frozen=True)
class Issuer:
    """An OIDC issuer of tokens like those of GitHub Actions."""

    url: str
    key: Path

    def token(self, workflow: str = "release.yml", ref: str = "refs/heads/main") -> str:
        """Return a token for a job of a workflow."""
        now, commit = int(time.time()), "a" * 40
        path = f"team/shop/.github/workflows/{workflow}@{ref}"
        claims = {
            "iss": self.url,
            "aud": "sigstore",
            "iat": now,
            "nbf": now - 5,
            "exp": now + 600,
            "sub": f"repo:team/shop:ref:{ref}",
            "ref": ref,
            "sha": commit,
            "repository": "team/shop",
            "repository_id": "1",
            "repository_visibility": "private",
            "repository_owner": "team",
            "repository_owner_id": "2",
            "event_name": "push",
            "workflow": "Main",
            "workflow_ref": path,
            "workflow_sha": commit,
            "job_workflow_ref": path,
            "job_workflow_sha": commit,
            "run_id": "7",
            "run_attempt": "1",
            "runner_environment": "github-hosted",
        }
        parts = [{"alg": "RS256", "kid": "1", "typ": "JWT"}, claims]
        signed = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.key)]
        signature = subprocess.run(command, input=signed.encode(), capture_output=True, check=True)
        return f"{signed}.{base64url(signature.stdout)}"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def oidc_issuer(folder: Path) -> Iterator[Issuer]:
    """Run an OIDC issuer: its configuration and its public key."""
    key = folder / "issuer.pem"
    must_run("openssl", "genrsa", "-out", key, "2048", cwd=folder)
    printed = must_run("openssl", "rsa", "-in", key, "-noout", "-modulus", cwd=folder)
    modulus = bytes.fromhex(printed.strip().removeprefix("Modulus="))
    jwk = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": base64url(modulus)}
    documents: dict[str, Any] = {"/jwks": {"keys": [jwk | {"e": "AQAB"}]}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(documents[self.path]).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        url = f"http://localhost:{httpd.server_port}"
        documents["/.well-known/openid-configuration"] = {
            "issuer": url,
            "jwks_uri": f"{url}/jwks",
            "authorization_endpoint": url,
            "token_endpoint": url,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        thread = Thread(target=httpd.serve_forever)
        thread.start()
        try:
            yield Issuer(url, key)
        finally:
            httpd.shutdown()
            thread.join()
