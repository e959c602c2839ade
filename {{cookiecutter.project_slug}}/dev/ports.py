"""Find ports of the service that are already in use."""

import errno
import os
import socket


def ports_in_use() -> str:
    """Return the ports that cannot be bound, such as `PORT=8000`; empty if all can."""
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
                    found.append(f"{name}={port}")
    return " and ".join(found)
