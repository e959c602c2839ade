"""What keeps a release from being deployed, each in a line, found before anything is applied."""

from collections.abc import Iterator
from typing import Any

from .cluster import kubectl
from .manifests import SERVICE, Image, Object, images, named, namespace, pod


def unused(overlay: str, objects: list[Object], image: Image) -> Iterator[str]:
    """Tell of an overlay in which nothing runs the image."""
    if not any(str(image) in images(found) for found in objects):
        yield f"OVERLAY={overlay}: nothing in it runs the image that it calls {SERVICE}"


def strangers(overlay: str, objects: list[Object], image: Image) -> Iterator[str]:
    """Tell of each object that would run another image than the release."""
    for found in objects:
        for other in sorted(images(found) - {str(image)}):
            yield f"OVERLAY={overlay}: {named(found)} runs {other}, and not {image}"


def missing_secrets(objects: list[Object]) -> dict[tuple[str, ...], list[str]]:
    """Return the Secrets that are not in the cluster, and who cannot start without each.

    They are named as `kubectl` takes them. Not missing is what the overlay itself brings.
    """
    made = {found["metadata"]["name"] for found in objects if found["kind"] == "Secret"}
    made |= {name for found in objects if (name := kept_elsewhere(found))}
    users: dict[tuple[str, ...], list[str]] = {}
    for found in objects:
        for name in sorted({*_secrets(pod(found) or {})} - made):
            users.setdefault((name, *namespace(found)), []).append(named(found))
    options = ["--ignore-not-found", "--output=name"]
    return {
        secret: names
        for secret, names in users.items()
        if not kubectl("get", "secret", *secret, *options).strip()
    }


def kept_elsewhere(found: Object) -> str:
    """Return the name of the Secret that an operator makes of this object, if it does."""
    if found["kind"] != "ExternalSecret":
        return ""
    return str(found["spec"].get("target", {}).get("name") or found["metadata"]["name"])


def _secrets(part: Any) -> Iterator[str]:
    """Yield the names of Secrets anywhere below a part of a pod."""
    if isinstance(part, list):
        for one in part:
            yield from _secrets(one)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "imagePullSecrets":
                yield from (one["name"] for one in value)
            elif key not in {"secret", "secretRef", "secretKeyRef"}:
                yield from _secrets(value)
            elif not value.get("optional"):
                yield value.get("secretName") or value["name"]
