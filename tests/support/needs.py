"""Programs that some tests need: without them a test is skipped, but in CI it fails."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


def lack(reason: str) -> NoReturn:
    """Skip the test because a program is missing; in CI, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def need_kubectl() -> None:
    """Require kubectl, which renders manifests."""
    if not shutil.which("kubectl"):
        lack("kubectl is not installed")


def need_registry() -> str:
    """Return the path of an image registry."""
    found = shutil.which("docker-registry")
    return found or lack("docker-registry is not installed: make packages")


def need_redis(service: Path) -> None:
    """Require a Redis server, installed or in Docker, if the service uses Redis."""
    redis = (service / "tests/support/redis_server.py").exists()
    if redis and not redis_server() and not docker_is_running():
        lack("neither redis-server nor valkey-server is installed, and Docker is not running")


def redis_server() -> str | None:
    """Return the path of an installed Redis server."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def pgbouncer() -> str:
    """Return the path of PgBouncer, which Debian installs outside of a user's `PATH`."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    return found or lack("pgbouncer is not installed: make packages")


def need_promtool() -> None:
    """Require promtool, which checks and tests the rules of Prometheus."""
    if not shutil.which("promtool"):
        lack("promtool is not installed: make packages")


def need_chromium() -> str:
    """Return the path of Chromium or Google Chrome."""
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    return next(filter(None, found), None) or lack("chromium is not installed: make packages")


def docker_is_running() -> bool:
    """Return whether a Docker engine is available."""
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


needs_docker = [
    pytest.mark.containers,
    pytest.mark.skipif(not docker_is_running(), reason="`docker info` failed"),
]
"""Marks of tests that need a Docker engine."""
