"""Runs `docker`, which logs in for nothing but this, and says in one line what went wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any


def docker(*arguments: str, said: str | None = None, **variables: str) -> str:
    """Run a command that hears what is `said`; return what it prints, or end with its words."""
    done = subprocess.run(
        ["docker", *arguments],
        input=said,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()
        sys.exit(f"docker {arguments[0]} failed: {words[-1]}")
    return done.stdout


def inspect(image: str) -> dict[str, Any]:
    """Return what the engine knows of an image that it has."""
    found: list[dict[str, Any]] = json.loads(docker("image", "inspect", image))
    return found[0]


@contextmanager
def logged_in(registry: str) -> Iterator[dict[str, str]]:
    """Log in as `REGISTRY_USER` if there is a `REGISTRY_TOKEN`; yield variables for `docker`.

    The login is kept in a folder that ends with the block, not in the home of who runs this.
    """
    token = os.environ.get("REGISTRY_TOKEN", "")
    if not token:
        yield {}
        return
    user = os.environ.get("REGISTRY_USER", "") or sys.exit(
        "REGISTRY_USER is not set, but REGISTRY_TOKEN is"
    )
    with TemporaryDirectory() as folder:
        config = {"DOCKER_CONFIG": folder}
        docker("login", "--username", user, "--password-stdin", registry, said=token, **config)
        yield config
