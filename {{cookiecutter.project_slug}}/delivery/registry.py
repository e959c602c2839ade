"""What stands beside an image in its registry: bundles of signatures, under a tag of its digest."""

import os
import re
import sys
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from oras.client import OrasClient

from .release import Release

LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+)(:\d+)?/")
"""Registries of this machine alone are spoken to without TLS, as Docker does."""
SECONDS = 30.0
"""For each answer of a registry."""
KIND = "application/json"
ACCEPT = {"Accept": "application/vnd.oci.image.manifest.v1+json"}


def beside(release: Release) -> str:
    """Return where the bundles of a release are; all that has the image knows where to look."""
    return f"{release.image}:{release.digest.replace(':', '-')}.bundles"


def attach(release: Release, files: dict[str, bytes]) -> None:
    """Push these files, by name, in place of those that there may have been."""
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_bytes(text)
        paths = [f"{Path(folder) / name}:{KIND}" for name in sorted(files)]
        try:
            client(release).push(
                beside(release), files=paths, disable_path_validation=True, quiet=True
            )
        except (ValueError, OSError) as error:
            sys.exit(f"{release}: its bundles were not pushed: {type(error).__name__}")


def attached(release: Release) -> dict[str, bytes]:
    """Return the files beside a release, by name; none if there are none."""
    try:
        asked = client(release)
        place = asked.get_container(beside(release))
        answer = asked.do_request(f"{asked.prefix}://{place.manifest_url()}", headers=ACCEPT)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return {}
        with TemporaryDirectory() as folder:
            paths = asked.pull(beside(release), outdir=folder)
            return {Path(path).name: Path(path).read_bytes() for path in paths}
    except (ValueError, OSError) as error:
        sys.exit(f"{release}: its bundles were not found: {type(error).__name__}")


def manifest(release: Release) -> dict[str, Any]:
    """Return the manifest of the image itself."""
    try:
        found: dict[str, Any] = client(release).get_manifest(str(release))
    except (ValueError, OSError) as error:
        sys.exit(f"{release}: the registry does not give it: {type(error).__name__}")
    return found


def client(release: Release) -> Any:
    """Return a client of the registry, as `REGISTRY_USER` or as who is logged in with Docker."""
    registry = release.image.partition("/")[0]
    made = OrasClient(hostname=registry, insecure=bool(LOOPBACK.match(release.image)))
    made.session.request = bounded(release, made.session.request)
    if token := os.environ.get("REGISTRY_TOKEN", ""):
        made.auth.set_basic_auth(os.environ.get("REGISTRY_USER", ""), token)
    else:
        made.auth.load_configs(made.get_container(beside(release)))
    return made


def bounded(release: Release, request: Any) -> Any:
    """Return the same function, which waits neither for ever nor for a registry that is away."""

    def asked(*arguments: Any, **options: Any) -> Any:
        try:
            return request(*arguments, **{"timeout": SECONDS, **options})
        except OSError as error:
            sys.exit(f"{release}: its registry does not answer: {type(error).__name__}")

    return asked
