"""Where an image comes from: a statement of in-toto with a predicate of SLSA, provenance v1."""

import json
import os
import re
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .release import Release, required

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
SBOM = "https://cyclonedx.org/bom"
PREDICATES = {"provenance": PROVENANCE, "sbom": SBOM}


@dataclass(frozen=True)
class Run:
    """A run of a pipeline, as its platform tells of it; addresses are URLs."""

    builder: str
    kind: str
    """Which system of CI this is, by the address of its documentation."""
    repository: str
    commit: str
    ref: str
    workflow: str
    """The file that says what is done."""
    invocation: str
    started_by: str
    """The event that began it, such as a push or a schedule."""


def run() -> Run:
    """Return the run that this is part of."""
    name = os.environ.get("PLATFORM", "none")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        sys.exit(f"PLATFORM={name}: is no name of a module delivery/platform_<PLATFORM>.py")
    try:
        found: Run = import_module(f"{__package__}.platform_{name}").run()
    except ModuleNotFoundError:
        sys.exit(f"PLATFORM={name}: there is no delivery/platform_{name}.py")
    return found


def from_platform(name: str) -> str:
    """Return a variable that the platform of a run sets."""
    return os.environ.get(name) or sys.exit(
        f"{name} is not set: is this a run of PLATFORM={os.environ.get('PLATFORM')}?"
    )


def statement(release: Release, predicate: str, said: dict[str, Any]) -> bytes:
    """Return what is said of a release as a statement of in-toto, always the same bytes."""
    subject = {"name": release.image, "digest": {"sha256": release.digest.removeprefix("sha256:")}}
    text = {
        "_type": STATEMENT,
        "subject": [subject],
        "predicateType": predicate,
        "predicate": said,
    }
    return json.dumps(text, sort_keys=True, separators=(",", ":")).encode()


def provenance(built: Run) -> dict[str, Any]:
    """Return the predicate: what was built, from which commit, by which run of what."""
    revision = required("REVISION", "0123456789ab")
    if not built.commit.startswith(revision):
        sys.exit(f"REVISION={revision}: the run is of commit {built.commit}")
    workflow = {"repository": built.repository, "ref": built.ref, "path": built.workflow}
    source = {
        "uri": f"git+{built.repository}@{built.ref}",
        "digest": {"gitCommit": built.commit},
    }
    return {
        "buildDefinition": {
            "buildType": built.kind,
            "externalParameters": {"workflow": workflow},
            "internalParameters": {"startedBy": built.started_by, "revision": revision},
            "resolvedDependencies": [source],
        },
        "runDetails": {
            "builder": {"id": built.builder},
            "metadata": {"invocationId": built.invocation},
        },
    }
