"""Pushes the image that is loaded, and writes by which digest it can be had from now on."""

import re
import sys

from .docker import docker, inspect, logged_in
from .release import WRITTEN, Release, image, required

PUSHED = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})\b")


def main() -> None:
    """Push to a tag that no other build has, so that none ever moves.

    A registry may delete what has no tag, and an earlier release may be wanted again. So each
    build has one of its own, by its commit and its content: the same commit, built again on a
    newer base, is another release beside the first.
    """
    WRITTEN.unlink(missing_ok=True)
    repository = image()
    revision = required("REVISION", "0123456789ab")
    if not re.fullmatch(r"[0-9a-f]{7,64}", revision):
        sys.exit(f"REVISION={revision}: is no commit; only what is committed is published")
    built = required("BUILT", f"order-service:{revision}")
    content = inspect(built)["Id"].removeprefix("sha256:")
    tag = f"{repository}:{revision}-{content[:12]}"
    docker("tag", built, tag)
    with logged_in(repository.partition("/")[0]) as login:
        said = docker("push", tag, **login)
    found = PUSHED.findall(said)
    if len(set(found)) != 1:
        sys.exit(f"docker push {tag} told no digest")
    release = Release(repository, found[0])
    half = WRITTEN.with_suffix(".half")
    half.parent.mkdir(exist_ok=True)
    half.write_text(f"{release}\n", encoding="utf-8")
    half.replace(WRITTEN)
    print(release)


if __name__ == "__main__":
    main()
