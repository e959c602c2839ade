"""Docker images of Compose files, with stand-ins for those that cannot be pulled."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .mongodb import ferretdb
from .pythons import ROOT

STANDINS = {"mongo:8": "mongodb", "nats:2-alpine": "nats"}
"""The folder in `standins/` of each image."""


@contextmanager
def images(compose_files: list[Path]) -> Iterator[None]:
    """Provide the images that have stand-ins and that one of the Compose files uses."""
    named = {n for file in compose_files for n in re.findall(r"image: (\S+)", file.read_text())}
    with ExitStack() as stack:
        for image in sorted(named & STANDINS.keys()):
            if not _succeeds("image", "inspect", image) and not _succeeds("pull", image):
                stack.enter_context(_standin(image))
        yield


@contextmanager
def _standin(image: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(ROOT / "tools" / "standins" / STANDINS[image], context)
        if image.startswith("mongo:"):
            shutil.copy(ferretdb(), context / "ferretdb")
        subprocess.run(["docker", "build", "--quiet", "--tag", image, str(context)], check=True)
    try:
        yield
    finally:
        # The stand-in must not be mistaken for the real image.
        subprocess.run(["docker", "image", "rm", "--force", image], check=True)


def _succeeds(*arguments: str) -> bool:
    return subprocess.run(["docker", *arguments], capture_output=True, check=False).returncode == 0
