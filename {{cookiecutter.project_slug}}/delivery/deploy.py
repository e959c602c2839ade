"""`make deploy`: a release to a cluster; what is wrong is said before anything is applied."""

import os
import signal
import sys

from . import this_machine
from .cluster import access
from .manifests import OVERLAYS, Image, Object, rendered
from .refusals import missing_secrets, strangers, unused
from .release import release
from .rollout import roll_out


def main() -> None:
    """Deploy `RELEASE` by `OVERLAY`, or end with a line for each thing that is in the way."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that what was opened is closed.
    overlay = chosen()
    with access():
        image, objects = here(overlay) if overlay == this_machine.LOCAL else published(overlay)
        print(f"{image} to {overlay}, {len(objects)} objects", flush=True)
        roll_out(objects, image)


def chosen() -> str:
    """Return the overlay that `OVERLAY` names."""
    there = sorted(path.parent.name for path in OVERLAYS.glob("*/kustomization.yaml"))
    overlay = os.environ.get("OVERLAY", "").strip()
    if overlay not in there:
        said = f"OVERLAY={overlay}: there is no such overlay" if overlay else "OVERLAY is not set"
        sys.exit(f"{said}; there are {', '.join(there)}")
    return overlay


def published(overlay: str) -> tuple[Image, list[Object]]:
    """Return the image of a release, and the objects that are to run it and nothing else."""
    given = release()
    image = Image(given.image, digest=given.digest)
    objects = rendered(overlay, image)
    problems = [*unused(overlay, objects, image), *strangers(overlay, objects, image)]
    if problems:
        sys.exit("\n".join(problems))
    for (name, *_), users in missing_secrets(objects).items():
        problems.append(f"Secret {name} is not in the cluster; without it: {', '.join(users)}")
    if problems:
        sys.exit("\n".join(problems))
    return image, objects


def here(overlay: str) -> tuple[Image, list[Object]]:
    """Return the image that was built here, and the objects, with a Secret if there is none yet."""
    image = this_machine.provide()
    objects = rendered(overlay, image)
    if problems := [*unused(overlay, objects, image)]:
        sys.exit("\n".join(problems))
    for name, place in missing_secrets(objects):
        objects.append(this_machine.secret(name, place.removeprefix("--namespace=")))
    return image, objects


if __name__ == "__main__":
    main()
