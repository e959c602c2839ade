"""A real Redis where there is one: installed on this machine, or in a container."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from uuid import uuid4

from redis import Redis, RedisError

IMAGE = "redis:8"
OPTIONS = ["--save", "", "--appendonly", "no", "--protected-mode", "no"]
PATIENCE = 60
"""Seconds that a server may take to start, an image to arrive."""
NOWHERE = "redis://127.0.0.1:1"
NONE_FOUND = "no redis-server or valkey-server is installed, and no Docker engine answers"


class NoServer(Exception):
    """There is no Redis on this machine, and no way to start one."""


@contextmanager
def server() -> Iterator[str]:
    """Run an empty server for a while; yield its URL, or raise `NoServer`."""
    with TemporaryDirectory() as folder:
        command, url = _installed(Path(folder)) or _container()
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the service, which may still need it.
        ) as process:
            try:
                _wait(process, url)
                yield url
            finally:
                process.terminate()


@contextmanager
def redis_provided() -> Iterator[None]:
    """Set `REDIS_URL` to a server of our own, or to nowhere, unless the environment names one."""
    if os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE"):
        yield
        return
    try:
        with server() as os.environ["REDIS_URL"]:
            yield
    except NoServer as reason:
        print(f"Without Redis, no cache and no rate limit: {reason}.", file=sys.stderr, flush=True)
        os.environ["REDIS_URL"] = NOWHERE
        yield


def _installed(folder: Path) -> tuple[list[str], str] | None:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if not program:
        return None
    path = folder / "redis.sock"
    where = ["--port", "0", "--unixsocket", str(path), "--dir", str(folder)]
    return [program, *where, *OPTIONS], f"unix://{path}"


def _container() -> tuple[list[str], str]:
    try:
        # Docker is wherever the developer's PATH says.
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False)  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        raise NoServer(NONE_FOUND) from None
    if asked.returncode:
        raise NoServer(NONE_FOUND)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--rm", "--name", f"redis-{uuid4().hex}", "--publish", f"127.0.0.1:{port}:6379"]
    command = ["docker", "run", *options, IMAGE, "redis-server", *OPTIONS]
    return command, f"redis://127.0.0.1:{port}"


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = monotonic() + PATIENCE
    with Redis.from_url(url) as client:
        while process.poll() is None and monotonic() < deadline:
            try:
                client.ping()
            except (RedisError, OSError):
                sleep(0.05)
            else:
                return
    raise NoServer("the server that was started does not answer")
