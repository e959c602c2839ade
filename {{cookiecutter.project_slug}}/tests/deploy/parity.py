"""One image, the same commands and the same backing services as in Compose."""

import re
from collections.abc import Iterator

from {{ cookiecutter.package_name }}.__main__ import SERVICE

from . import composed
from .objects import Object, ours, workloads


def same_image(objects: list[Object]) -> Iterator[str]:
    """Every process is the same image, of which no tag can be moved."""
    images = {container["image"] for pods in ours(objects) for container in pods.containers}
    if len(images) > 1:
        yield f"image: processes are of several: {', '.join(sorted(images))}"
    for image in sorted(images):
        if ":" in image.partition("@")[0].rpartition("/")[2]:
            yield f"image: {image}: a tag can move; a release sets its digest"


def digests(objects: list[Object]) -> Iterator[str]:
    """What is deployed is a digest, in every container of ours."""
    for pods in ours(objects):
        for container in pods.containers:
            if not re.search("@sha256:[0-9a-f]{64}$", container["image"]):
                yield f"{pods}: image: {container['image']} has no digest"


def same_commands(objects: list[Object]) -> Iterator[str]:
    """What Compose starts is started here, by the same arguments; the rest is on the menu."""
    known = SERVICE.commands.keys()
    there = {pods.component: pods for pods in ours(objects)}
    for name in sorted(composed.commands().keys() - there.keys()):
        yield f"{name}: runs in Compose and not here"
    for name, pods in there.items():
        for container in pods.containers:
            arguments = container.get("args", [])
            if "command" in container:
                yield f"{pods}: command: stands in place of the image's own"
            if arguments != composed.commands().get(name, arguments):
                yield f"{pods}: args: {arguments}, in Compose {composed.commands()[name]}"
            elif not arguments or arguments[0] not in known:
                yield f"{pods}: args: {arguments} is no command of this service"


def same_backing_services(objects: list[Object]) -> Iterator[str]:
    """What else runs in the cluster is what runs in Compose, of the same version."""
    for pods in workloads(objects):
        for container in pods.containers:
            image = container["image"].partition("@")[0]
            if not pods.is_ours and image not in composed.backing_images():
                yield f"{pods}: image: {image} does not run in Compose"
