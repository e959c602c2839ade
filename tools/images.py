"""Docker images of Compose files, with stand-ins for those that cannot be pulled."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .go_programs import collector, victoria_logs
from .mongodb import ferretdb
from .pythons import ROOT

STANDINS = {
    "jaegertracing/jaeger": "traces",
    "mongo": "mongodb",
    "nats": "nats",
    "prom/prometheus": "prometheus",
    "otel/opentelemetry-collector-contrib": "collector",
    "victoriametrics/victoria-logs": "logs",
}
"""The folder in `standins/` of each image."""
PROGRAMS: dict[str, Callable[[str], Path]] = {
    "collector": collector,
    "logs": victoria_logs,
    "mongodb": lambda _: ferretdb(),
    "traces": lambda _: collector(),
}
"""Builds what is copied into the folder of a stand-in, for the version of the image."""


def with_standins(compose_files: list[Path]) -> dict[str, str]:
    """Return the images of Compose files that have stand-ins, with their folders."""
    named = {n for file in compose_files for n in re.findall(r"image: (\S+)", file.read_text())}
    folders = {image: STANDINS.get(image.partition(":")[0], "") for image in sorted(named)}
    return {image: folder for image, folder in folders.items() if folder}


@contextmanager
def images(compose_files: list[Path]) -> Iterator[None]:
    """Provide the images of Compose files that have stand-ins."""
    with ExitStack() as stack:
        for image, folder in with_standins(compose_files).items():
            if not _succeeds("image", "inspect", image) and not _succeeds("pull", image):
                stack.enter_context(_standin(image, folder))
        yield


@contextmanager
def _standin(image: str, name: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(ROOT / "tools" / "standins" / name, context)
        if build := PROGRAMS.get(name):
            program = build(image.rpartition(":")[2].removeprefix("v"))
            shutil.copy(program, context / program.name.partition("-v")[0])
        subprocess.run(["docker", "build", "--quiet", "--tag", image, str(context)], check=True)
    try:
        yield
    finally:
        # The stand-in must not be mistaken for the real image.
        subprocess.run(["docker", "image", "rm", "--force", image], check=True)


def _succeeds(*arguments: str) -> bool:
    return subprocess.run(["docker", *arguments], capture_output=True, check=False).returncode == 0
