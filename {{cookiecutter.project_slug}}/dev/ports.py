"""Find ports of the service that are already in use."""

import errno
import os
import re
import socket
import subprocess
from contextlib import suppress


def ports_in_use() -> str:
    """Return the ports that are in use and by which process; empty if none is."""
    found = []
    for name, default in {"PORT": "8000", "METRICS_PORT": "9090"}.items():
        port = os.environ.get(name) or default
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((os.environ.get("HOST") or "127.0.0.1", int(port)))
            except (OSError, ValueError, OverflowError) as error:
                # The service reports invalid values.
                if getattr(error, "errno", None) == errno.EADDRINUSE:
                    found.append(f"{name}={port}{_listener(port)}")
    return " and ".join(found)


def _listener(port: str) -> str:
    """Return the process that listens on a port, such as ` (pid 4711)`; empty if unknown."""
    for command in (
        ["lsof", "-nPti", f"TCP:{port}", "-sTCP:LISTEN"],
        ["ss", "-Hltnp", f"sport = :{port}"],
    ):
        with suppress(OSError):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if pid := re.search(r"(?:^|pid=)(\d+)", done.stdout):
                return f" (pid {pid[1]})"
    return ""
