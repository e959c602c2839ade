"""A release is an image by its digest, `IMAGE@sha256:...`: what a name and a tag say may change."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

REPORTS = Path(__file__).parents[1] / ".reports"
WRITTEN = REPORTS / "release"
REPOSITORY = re.compile(
    r"(?P<registry>[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?)"
    r"(?P<path>(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+)"
)
"""`registry.example.com/team/order-service`; Docker's short names are not of a registry."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Release:
    """An image that is published, by its digest."""

    image: str
    digest: str

    def __str__(self) -> str:
        """Return it as registries and orchestrators take it."""
        return f"{self.image}@{self.digest}"


def required(name: str, example: str) -> str:
    """Return a variable of the environment, or end in a line that says what it has to be."""
    return os.environ.get(name, "").strip() or sys.exit(f"{name} is not set; such as {example}")


def image() -> str:
    """Return `IMAGE`: a repository, neither a tag nor a digest of it."""
    given = required("IMAGE", "registry.example.com/team/order-service")
    name = given.rpartition("/")[2]
    if "@" in given or ":" in name:
        sys.exit(f"IMAGE={given}: give the repository alone, without tag and digest")
    if given != given.lower():
        sys.exit(f"IMAGE={given}: registries take lower case alone")
    if not REPOSITORY.fullmatch(given):
        sys.exit(f"IMAGE={given}: is no repository such as registry.example.com/team/name")
    return given


def release() -> Release:
    """Return `RELEASE`; if it is not set, what `make publish` wrote."""
    given = os.environ.get("RELEASE", "").strip()
    if not given:
        if not WRITTEN.exists():
            sys.exit("RELEASE is not set, and there is no .reports/release: make publish writes it")
        given = WRITTEN.read_text(encoding="utf-8").strip()
    repository, _, digest = given.partition("@")
    if not DIGEST.fullmatch(digest):
        why = "a tag can move; " if ":" in repository.rpartition("/")[2] and not digest else ""
        sys.exit(f"RELEASE={given}: {why}give IMAGE@sha256:…")
    if not REPOSITORY.fullmatch(repository):
        sys.exit(f"RELEASE={given}: {repository} is no repository; give IMAGE@sha256:…")
    return Release(repository, digest)
