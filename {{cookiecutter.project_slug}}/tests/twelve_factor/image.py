"""The image, built once; where no Docker engine answers, checks of it are skipped."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest

from .subject import ROOT


def docker(*arguments: str, **variables: str) -> str:
    """Run a Docker command to its end and return what it prints."""
    done = subprocess.run(
        ["docker", *arguments],  # noqa: S607  # Docker is wherever the PATH says.
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def need_engine() -> None:
    """Skip where there is no engine, or `CONFORMANCE_DOCKER=no` keeps us from using it."""
    if os.environ.get("CONFORMANCE_DOCKER") == "no":
        pytest.skip("CONFORMANCE_DOCKER=no")
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:  # noqa: S607
        pytest.skip("no Docker engine answers")


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """Build the image and return its name."""
    need_engine()
    name = f"conformance-{uuid4().hex}"
    docker("build", "--quiet", "--build-arg", "REVISION=conformance", "--tag", name, ".")
    yield name
    docker("image", "rm", "--force", name)
