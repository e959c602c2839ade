"""A registry, and a signer, with which a release can be signed on this machine."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import httpx
import yaml

from .needs import need_registry
from .running import TIMEOUT_SECONDS, free_ports
from .template_releases import git

NAME = "released-service"
STAND_IN = '''\
"""Signs with a key that anybody may know: a stand-in for Sigstore, for tests alone."""

import hashlib
import hmac
import json
import sys

from .release import Release

KEY = b"known"


def sign(release: Release, statements: dict[str, bytes]) -> dict[str, bytes]:
    """Sign the digest and each statement."""
    said = {"signature": release.digest.encode()} | statements
    return {name: bundle(text) for name, text in said.items()}


def bundle(text: bytes) -> bytes:
    """Return a text with its signature."""
    return json.dumps({"text": text.decode(), "by": by(text)}).encode()


def by(text: bytes) -> str:
    """Return the signature of a text."""
    return hmac.new(KEY, text, hashlib.sha256).hexdigest()


def verify(release: Release, bundles: dict[str, bytes]) -> dict[str, bytes]:
    """Return the statements, if all are signed and the signature is of this digest."""
    texts = {}
    for name, held in bundles.items():
        read = json.loads(held)
        texts[name] = read["text"].encode()
        if read["by"] != by(texts[name]):
            sys.exit(f"{release}: its {name} was signed by another")
    if texts.pop("signature") != release.digest.encode():
        sys.exit(f"{release}: its signature is of another digest")
    return texts
'''
BORROW = """
import json
from delivery.registry import attach, attached
from delivery.release import Release
from delivery.stand_in import bundle
first, second = (Release(*name.split("@")) for name in {releases!r})
borrowed = attached(first)
if {signed}:
    borrowed["signature.bundle"] = bundle(second.digest.encode())
attach(second, borrowed)
"""


@contextmanager
def local_registry(folder: Path) -> Iterator[str]:
    """Run an empty registry on this machine; yields its host and port."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    settings = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": address},
    }
    (folder / "registry.yaml").write_text(yaml.safe_dump(settings))
    with (folder / "registry.log").open("wb") as log:
        server = subprocess.Popen(
            [need_registry(), "serve", str(folder / "registry.yaml")], stdout=log, stderr=log
        )
    try:
        deadline = monotonic() + TIMEOUT_SECONDS
        while not answers(address):
            assert server.poll() is None, (folder / "registry.log").read_text()
            assert monotonic() < deadline
        yield address
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"http://{address}/v2/").status_code == 200
    return False


def head_of(service: Path) -> str:
    return git(service, "rev-parse", "HEAD").strip()


def remove_images(registry: str) -> None:
    """Remove the images of the service, and those that were pushed to the registry."""
    found = subprocess.check_output(
        ["docker", "images", "--format", "json", "--filter", f"reference=*{NAME}*"], text=True
    ) + subprocess.check_output(
        ["docker", "images", "--format", "json", "--filter", f"reference={registry}/team/{NAME}"],
        text=True,
    )
    names = {f"{one['Repository']}:{one['Tag']}" for one in map(json.loads, found.splitlines())}
    subprocess.run(["docker", "image", "rm", "--force", *names], check=True, capture_output=True)


def tags(registry: str) -> set[str]:
    return set(httpx.get(f"http://{registry}/v2/team/{NAME}/tags/list").json()["tags"])


def last(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a target that was refused said, without what make says of it."""
    return done.stderr.splitlines()[-2]
