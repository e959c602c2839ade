"""The worker of `make run`, restarted on every change."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def worker_running(service: list[str]) -> Iterator[None]:
    """Run a worker that serves metrics on the port after `METRICS_PORT`."""
    port = int(os.environ.get("METRICS_PORT") or "9090") + 1
    watched = [sys.executable, "-m", "watchfiles", "--filter", "python"]
    with subprocess.Popen(
        [*watched, shlex.join([*service, "worker"]), "src"],
        env=os.environ | {"METRICS_PORT": str(port)},
    ) as worker:
        try:
            yield
        finally:
            worker.terminate()
