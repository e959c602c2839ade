"""A MongoDB of this machine's own: the `mongod` that is installed, or else one in a container."""

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
"""How long a server may take to answer, the download of its image included."""
WAYS = "set MONGODB_URL, install mongod, or start Docker"


@contextmanager
def server(data: Path) -> Iterator[str]:
    """Run a server on the folder `data`, made if it is missing; yield the URL of its database."""
    data.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command, url = _command(data, port), f"mongodb://127.0.0.1:{port}/app"
    with (
        data.with_suffix(".log").open("wb") as log,
        # In a session of its own, so that Ctrl-C does not end it before the service.
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            _wait_for(url, process, data.with_suffix(".log"))
            yield url
        finally:
            process.terminate()
            with suppress(KeyboardInterrupt):  # Of one Ctrl-C, uv makes two.
                process.wait()


def _command(data: Path, port: int) -> list[str]:
    if mongod := shutil.which("mongod"):
        return [mongod, "--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port)]
    if docker := shutil.which("docker"):
        run = [docker, "run", "--rm", "--init", "--user", f"{os.getuid()}:{os.getgid()}"]
        volume = ["--volume", f"{data.resolve()}:/data/db"]
        return [*run, *volume, "--publish", f"127.0.0.1:{port}:27017", IMAGE]
    sys.exit(f"no MongoDB is here: {WAYS}")


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = monotonic() + START_SECONDS
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=1000) as client:
        while process.poll() is None and monotonic() < deadline:
            try:
                client.admin.command("ping")
            except ConnectionFailure:
                sleep(0.1)
            else:
                return
    sys.exit(f"no MongoDB answers (see {log}): {WAYS}")


@contextmanager
def provided(data: Path) -> Iterator[None]:
    """Set `MONGODB_URL` to a server of our own, unless the environment names another."""
    if os.environ.get("MONGODB_URL") or os.environ.get("MONGODB_URL_FILE"):
        yield
        return
    with server(data) as url:
        os.environ["MONGODB_URL"] = url
        yield
