"""Run Redis for development and tests: an installed server, or else a container."""

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
START_SECONDS = 60
"""Start timeout, which includes the download of the image."""
UNREACHABLE = "redis://127.0.0.1:1"
NOT_FOUND = "redis-server, valkey-server or a Docker engine is required"


class RedisNotStarted(Exception):
    """Redis cannot be started on this machine."""


@contextmanager
def server() -> Iterator[str]:
    """Run an empty server; yield its URL, or raise `RedisNotStarted`."""
    with TemporaryDirectory() as folder:
        command, url = _installed(Path(folder)) or _container()
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must not stop it before the service.
        ) as process:
            try:
                _wait(process, url)
                yield url
            finally:
                process.terminate()


@contextmanager
def provided(_folder: Path) -> Iterator[str]:
    """Set `REDIS_URL` to a new server or else an unreachable address; yield a description."""
    if os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE"):
        yield "Redis at REDIS_URL"
        return
    try:
        with server() as os.environ["REDIS_URL"]:
            yield "Redis, empty at each start"
    except RedisNotStarted as reason:
        print(f"Redis is not running: {reason}.", file=sys.stderr, flush=True)
        os.environ["REDIS_URL"] = UNREACHABLE
        yield "no Redis: no cache and no rate limit"


def _installed(folder: Path) -> tuple[list[str], str] | None:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if not program:
        return None
    path = folder / "redis.sock"
    where = ["--port", "0", "--unixsocket", str(path), "--dir", str(folder)]
    return [program, *where, *OPTIONS], f"unix://{path}"


def _container() -> tuple[list[str], str]:
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False)  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        raise RedisNotStarted(NOT_FOUND) from None
    if asked.returncode:
        raise RedisNotStarted(NOT_FOUND)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--rm", "--name", f"redis-{uuid4().hex}", "--publish", f"127.0.0.1:{port}:6379"]
    command = ["docker", "run", *options, IMAGE, "redis-server", *OPTIONS]
    return command, f"redis://127.0.0.1:{port}"


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    timeout_at = monotonic() + START_SECONDS
    with Redis.from_url(url) as client:
        while process.poll() is None and monotonic() < timeout_at:
            try:
                client.ping()
            except (RedisError, OSError):
                sleep(0.05)
            else:
                return
    raise RedisNotStarted("the server did not respond in time")
