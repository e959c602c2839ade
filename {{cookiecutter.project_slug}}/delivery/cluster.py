"""Which cluster is meant and who asks it: what a kubeconfig says, or CI by its own identity."""

import base64
import binascii
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNLIMITED = {"config", "kustomize", "rollout", "wait"}
"""Commands that ask nobody, or have a limit of their own."""
NOISE = re.compile(r"[IWEF]\d{4} ")
"""How lines of kubectl's own log begin."""


@contextmanager
def access() -> Iterator[None]:
    """Let `kubectl` reach the cluster that `CLUSTER_SERVER` names; else the kubeconfig says which.

    The file that is made for it holds no secret, and is gone in the end: `kubectl` asks for a
    token itself, by `delivery.cluster_token`, whenever it needs one.
    """
    server = os.environ.get("CLUSTER_SERVER", "")
    if not server:
        yield
        return
    before = os.environ.get("KUBECONFIG")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kubeconfig"
        file.write_text(json.dumps(kubeconfig(server, os.environ.get("CLUSTER_CA", ""))))
        os.environ["KUBECONFIG"] = str(file)
        try:
            yield
        finally:
            del os.environ["KUBECONFIG"]
            if before is not None:
                os.environ["KUBECONFIG"] = before


def kubeconfig(server: str, certificates: str) -> dict[str, object]:
    """Return how to reach a server; who signs its certificates is public, and in base64."""
    if not server.startswith("https://"):
        sys.exit(f"CLUSTER_SERVER={server}: give an address that begins with https://")
    cluster = {"server": server}
    if certificates:
        try:
            base64.b64decode(certificates, validate=True)
        except binascii.Error:
            sys.exit("CLUSTER_CA is no base64: give what stands in certificate-authority-data")
        cluster["certificate-authority-data"] = certificates
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-m", "delivery.cluster_token"],
        "interactiveMode": "Never",
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "ci", "user": {"exec": plugin}}],
        "contexts": [{"name": "ci", "context": {"cluster": "cluster", "user": "ci"}}],
        "current-context": "ci",
    }


def kubectl(*arguments: str, said: str | None = None) -> str:
    """Run `kubectl`, which hears what is `said`; return what it prints, or end with its words."""
    status, printed = attempt(*arguments, said=said)
    if status:
        sys.exit(f"kubectl {' '.join(arguments[:2])}: {printed}")
    return printed


def attempt(*arguments: str, said: str | None = None) -> tuple[int, str]:
    """Run `kubectl`; return its status and what it prints, or in a line what it says of failure."""
    limit = [] if arguments[0] in UNLIMITED else ["--request-timeout=60s"]
    try:
        done = subprocess.run(
            ["kubectl", *arguments, *limit], input=said, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        sys.exit("kubectl is not installed")
    if not done.returncode:
        return 0, done.stdout
    words = [line.strip() for line in done.stderr.splitlines() if not NOISE.match(line)]
    return done.returncode, "; ".join(dict.fromkeys(filter(None, words))) or "failed"
