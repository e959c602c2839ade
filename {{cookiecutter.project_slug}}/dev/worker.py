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
        # The timeout is long enough for a debugger.
        env={"JOB_SECONDS": "3600"} | os.environ | {"METRICS_PORT": str(port)},
        start_new_session=True,  # Ctrl-C must not interrupt watchfiles, but stop it below.
    ) as worker:
        try:
            yield
        finally:
            worker.terminate()
