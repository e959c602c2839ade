"""What some tests need of the machine: without it they are skipped, but never in CI."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


def need_redis(service: Path) -> None:
    """Go on if the service uses no Redis, or one can be had, installed or as a container."""
    if not (service / "tests" / "redis.py").exists() or redis_server() or engine_answers():
        return
    lack("no redis-server or valkey-server is installed, and no Docker engine answers")


def need_kubectl() -> None:
    """Go on if manifests can be rendered."""
    if not shutil.which("kubectl"):
        lack("manifests need kubectl")


def redis_server() -> str | None:
    """Return the path of an installed server."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def need_registry() -> str:
    """Return the path of a server that keeps images."""
    found = shutil.which("docker-registry")
    return found or lack("no docker-registry is installed: make packages")


def lack(what: str) -> NoReturn:
    """Skip the test for what is not here; in CI, fail."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def engine_answers() -> bool:
    """Tell whether there is a Docker engine to use."""
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
