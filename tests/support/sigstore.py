"""A registry, an OIDC issuer and a private Sigstore, to sign and verify releases offline.

The tools are built from the Go module proxy; `.tools/` keeps them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from .commands import must_run
from .needs import lack, need_registry
from .oidc_issuer import Issuer, oidc_issuer
from .running import free_ports, until
from .template import ROOT, SERVICE

COMPOSE = yaml.safe_load((SERVICE / "release/compose.yaml").read_text(encoding="utf-8"))
IMAGES: dict[str, str] = {name: each["image"] for name, each in COMPOSE["services"].items()}
VERSIONS = {name: image.rpartition(":")[2] for name, image in IMAGES.items()}
MODULES = {
    "cosign": f"github.com/sigstore/cosign/v3/cmd/cosign@{VERSIONS['cosign']}",
    "fulcio": "github.com/sigstore/fulcio@v1.8.8",
    "oras": "oras.land/oras/cmd/oras@v1.3.6",
    "syft": f"github.com/anchore/syft/cmd/syft@{VERSIONS['syft']}",
    "timestamp-server": "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server@v2.0.5",
}
NOT_BEFORE = {"start": "2024-01-01T00:00:00Z"}


def tool(name: str) -> Path:
    """Return the path of a tool; the first call for a version builds it, which takes minutes."""
    folder = ROOT / ".tools" / "go" / MODULES[name].replace("/", "_")
    if not (folder / name).exists():
        go = shutil.which("go") or lack("Go is not installed")
        must_run(go, "install", MODULES[name], cwd=ROOT, GOBIN=str(folder), GOFLAGS="-trimpath")
    return folder / name


@contextmanager
def local_registry(folder: Path) -> Iterator[str]:
    """Run an empty registry; yield its host and port."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    settings = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": address},
    }
    (folder / "registry.yaml").write_text(yaml.safe_dump(settings))
    command = [need_registry(), "serve", str(folder / "registry.yaml")]
    with server(folder / "registry.log", *command, ready=f"http://{address}/v2/"):
        yield address


@contextmanager
def server(log: Path, *command: str | Path, ready: str) -> Iterator[None]:
    """Run a server until the block ends; wait until a URL responds with 200."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)

    def responds() -> bool:
        assert process.poll() is None, log.read_text()
        with suppress(httpx.TransportError):
            return httpx.get(ready).status_code == 200
        return False

    try:
        until(responds)
        yield
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Sigstore:
    """A certificate authority and a timestamp authority, without a transparency log."""

    issuer: Issuer
    signing_config: Path
    trusted_root: Path


@contextmanager
def sigstore(folder: Path) -> Iterator[Sigstore]:
    """Run Fulcio and a timestamp authority; Fulcio accepts the tokens of a local issuer."""
    ca, grpc, metrics, tsa = free_ports(4)
    ca_url, tsa_url = f"http://127.0.0.1:{ca}", f"http://127.0.0.1:{tsa}/api/v1/timestamp"
    with ExitStack() as servers:
        issuer = servers.enter_context(oidc_issuer(folder))
        (folder / "fulcio.yaml").write_text(yaml.safe_dump(fulcio_config(issuer.url)))
        fulcio: list[str | Path] = [
            *(tool("fulcio"), "serve", "--ca=ephemeralca", "--ct-log-url="),
            *(f"--config-path={folder}/fulcio.yaml", "--host=127.0.0.1", f"--port={ca}"),
            *("--grpc-host=127.0.0.1", f"--grpc-port={grpc}", f"--metrics-port={metrics}"),
        ]
        bundle = f"{ca_url}/api/v2/trustBundle"
        servers.enter_context(server(folder / "fulcio.log", *fulcio, ready=bundle))
        timestamps: list[str | Path] = [
            *(tool("timestamp-server"), "serve", "--host=127.0.0.1", f"--port={tsa}"),
            *("--timestamp-signer=memory", "--disable-ntp-monitoring"),
        ]
        chain = f"{tsa_url}/certchain"
        servers.enter_context(server(folder / "tsa.log", *timestamps, ready=chain))
        (folder / "tsa.pem").write_text(httpx.get(chain).text)
        (certificates,) = httpx.get(bundle).json()["chains"]
        (folder / "fulcio.pem").write_text("".join(certificates["certificates"]))
        must_run(
            *(tool("cosign"), "trusted-root", "create", "--out=trusted_root.json"),
            *("--fulcio", f"url={ca_url},certificate-chain=fulcio.pem"),
            *("--tsa", f"url={tsa_url},certificate-chain=tsa.pem"),
            cwd=folder,
        )
        write_signing_config(folder / "signing_config.json", caUrls=ca_url, tsaUrls=tsa_url)
        yield Sigstore(issuer, folder / "signing_config.json", folder / "trusted_root.json")


def fulcio_config(issuer: str) -> dict[str, Any]:
    """Return Fulcio's own mapping of the claims of GitHub's tokens, for another issuer."""
    module = MODULES["fulcio"]
    printed = must_run("go", "mod", "download", "-json", module, cwd=Path(os.sep))
    config = Path(json.loads(printed)["Dir"]) / "config/identity/config.yaml"
    github = "github-workflow"
    metadata = yaml.safe_load(config.read_text())["ci-issuer-metadata"]
    provider = {"issuer-url": issuer, "client-id": "sigstore", "type": "ci-provider"}
    return {
        "oidc-issuers": {issuer: provider | {"ci-provider": github}},
        "ci-issuer-metadata": {github: metadata[github]},
    }


def write_signing_config(path: Path, **services: str) -> Path:
    """Write which services cosign uses to sign; without any, only a key can sign."""
    config: dict[str, Any] = {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [],
        "oidcUrls": [],
        "rekorTlogUrls": [],
        "tsaUrls": [],
        "rekorTlogConfig": {},
        "tsaConfig": {"selector": "ANY"} if services else {},
    }
    for name, url in services.items():
        config[name] = [
            {"url": url, "majorApiVersion": 1, "validFor": NOT_BEFORE, "operator": "test"}
        ]
    path.write_text(json.dumps(config))
    return path
