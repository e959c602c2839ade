"""The services that have passed their own tests in this session: equal ones need not run them."""

import hashlib
from pathlib import Path

from .template import files_of

tested: dict[str, Path] = {}
"""A folder by what its tests can see."""


def fingerprint(service: Path) -> str:
    """Return a digest of all that its tests can see; equal ones need not be run twice."""
    digest = hashlib.sha256()
    for path in sorted(files_of(service)):
        if path != "LICENSE" and not path.startswith(".github/"):
            digest.update(path.encode() + b"\0" + (service / path).read_bytes())
    return digest.hexdigest()
