"""Run MongoDB for development: the installed `mongod`, or else a container."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

IMAGE = "mongo:8"
START_SECONDS = 300
"""Start timeout, which includes the download of the image."""
WAYS = "set MONGODB_URL, install mongod, or start Docker"


@contextmanager
def server(data: Path) -> Iterator[str]:
    """Run a server whose files are in `data`, created if missing; yield its `MONGODB_URL`."""
    data.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command, url = _command(data, port), f"mongodb://127.0.0.1:{port}/app"
    with (
        data.with_suffix(".log").open("wb") as log,
        # A new session: Ctrl-C must not stop it before the service.
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            _wait_for(url, process, data.with_suffix(".log"))
            yield url
        finally:
            process.terminate()
            with suppress(KeyboardInterrupt):  # uv forwards Ctrl-C a second time.
                process.wait()


def _command(data: Path, port: int) -> list[str]:
    if mongod := shutil.which("mongod"):
        return [mongod, "--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port)]
    if docker := shutil.which("docker"):
        run = [docker, "run", "--rm", "--init", "--user", f"{os.getuid()}:{os.getgid()}"]
        volume = ["--volume", f"{data.resolve()}:/data/db"]
        return [*run, *volume, "--publish", f"127.0.0.1:{port}:27017", IMAGE]
    sys.exit(f"MongoDB not found: {WAYS}")


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    timeout_at = monotonic() + START_SECONDS
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=1000) as client:
        while process.poll() is None and monotonic() < timeout_at:
            try:
                client.admin.command("ping")
            except ConnectionFailure:
                sleep(0.1)
            else:
                return
    sys.exit(f"MongoDB did not start (see {log}): {WAYS}")


@contextmanager
def provided(folder: Path) -> Iterator[str]:
    """Set `MONGODB_URL` to a new server, unless it is set; yield a description."""
    if os.environ.get("MONGODB_URL") or os.environ.get("MONGODB_URL_FILE"):
        yield "MongoDB at MONGODB_URL"
        return
    with server(folder / "mongodb") as url:
        os.environ["MONGODB_URL"] = url
        yield "MongoDB; data in .dev/mongodb"
