"""CI authenticates to a cluster by a short-lived token, which only the cluster receives."""

import base64
import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.cluster import KUBECTL, RELEASE, Cluster
from tests.support.fake_programs import error_of

pytestmark = pytest.mark.skipif(
    not (KUBECTL and shutil.which("openssl")), reason="kubectl or openssl is not installed"
)

CLAIMS = {"sub": "ci", "aud": "orders.example.com"}
TOKEN = f"e30.{base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip('=')}.c2ln"
FORBIDDEN = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "forbidden"}


class Handler(BaseHTTPRequestHandler):
    """Issues the token at `/identity`, like a CI system; responds 403 to all else."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Recorder)
        server.requests.append((self.path, self.headers.get("Authorization", "")))
        issues = self.path.startswith("/identity")
        self.send_response(200 if issues else 403)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"value": TOKEN} if issues else FORBIDDEN).encode())

    def log_message(self, *_: object) -> None:
        pass


class Recorder(ThreadingHTTPServer):
    """A server that records the path and credential of each request."""

    requests: list[tuple[str, str]]


@contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Recorder]:
    with Recorder(("127.0.0.1", 0), Handler) as server:
        server.requests = []
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a self-signed certificate for 127.0.0.1, with its key beside it."""
    file = tmp_path / "certificate.pem"
    names = ["-subj", "/CN=cluster", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *key, *names, "-keyout", f"{file}.key", "-out", str(file)],
        check=True,
        capture_output=True,
    )
    return file


def test_only_the_cluster_receives_the_token(
    cluster: Cluster, certificate: Path, tmp_path: Path
) -> None:
    (cluster.programs / "kubectl").unlink()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, f"{certificate}.key")
    files = tmp_path / "files"
    files.mkdir()
    with running() as ci_system, running(context) as server:
        done = cluster.make(
            "deploy",
            OVERLAY="production",
            RELEASE=RELEASE,
            CLUSTER_SERVER=f"https://127.0.0.1:{server.server_port}",
            CLUSTER_CA=base64.b64encode(certificate.read_bytes()).decode(),
            CLUSTER_AUDIENCE="orders.example.com",
            GITHUB_ACTIONS="true",
            ACTIONS_ID_TOKEN_REQUEST_TOKEN="any",  # noqa: S106  # Not checked by the fake CI.
            ACTIONS_ID_TOKEN_REQUEST_URL=f"http://127.0.0.1:{ci_system.server_port}/identity?v=1",
            TMPDIR=str(files),
            HOME=str(tmp_path),
        )
        assert "the cluster rejects these objects" in error_of(done)
        assert {"audience=orders.example.com" in path for path, _ in ci_system.requests} == {True}
        # Some distributions of kubectl read the version of the server first, without a credential.
        credentials = {each for path, each in server.requests if not path.startswith("/version?")}
        assert credentials == {f"Bearer {TOKEN}"}
    assert TOKEN not in done.stdout + done.stderr
    written = [path for folder in (files, cluster.service) for path in folder.rglob("*")]
    assert not [path for path in written if path.is_file() and TOKEN in path.read_text("latin-1")]
    assert not list(files.iterdir())


def test_without_an_identity_no_request_is_sent(cluster: Cluster, tmp_path: Path) -> None:
    (cluster.programs / "kubectl").unlink()
    server = {"CLUSTER_SERVER": "https://127.0.0.1:1", "CLUSTER_AUDIENCE": "orders.example.com"}
    done = cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE, HOME=str(tmp_path), **server)
    assert "ACTIONS_ID_TOKEN_REQUEST_URL: unbound variable" in error_of(done)


def test_the_server_must_use_https(cluster: Cluster) -> None:
    done = cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE, CLUSTER_SERVER="http://a")
    assert error_of(done) == "CLUSTER_SERVER has to begin with https://"
    assert cluster.calls() == []
