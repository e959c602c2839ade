"""Docker images of Compose files, with a stand-in for MongoDB's where it cannot be pulled."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .mongodb import ferretdb
from .pythons import ROOT

MONGO = "mongo:8"


@contextmanager
def mongodb_image(compose_files: list[Path]) -> Iterator[None]:
    """Provide the image of MongoDB inside the block, if one of the Compose files uses it."""
    named = {n for file in compose_files for n in re.findall(r"image: (\S+)", file.read_text())}
    if MONGO not in named or _succeeds("image", "inspect", MONGO) or _succeeds("pull", MONGO):
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(ROOT / "tools" / "mongo_standin", context)
        shutil.copy(ferretdb(), context / "ferretdb")
        subprocess.run(["docker", "build", "--quiet", "--tag", MONGO, str(context)], check=True)
    try:
        yield
    finally:
        # The stand-in must not be mistaken for the real image.
        subprocess.run(["docker", "image", "rm", "--force", MONGO], check=True)


def _succeeds(*arguments: str) -> bool:
    return subprocess.run(["docker", *arguments], capture_output=True, check=False).returncode == 0
