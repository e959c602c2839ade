"""Says which of the service's ports something else is using."""

import os
import socket


def in_use() -> str:
    """Name the ports that the service could not listen on, as `PORT=8000`; empty if none."""
    found = []
    for name, default in {"PORT": "8000", "METRICS_PORT": "9090"}.items():
        port = os.environ.get(name) or default
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((os.environ.get("HOST") or "127.0.0.1", int(port)))
            except OSError:
                found.append(f"{name}={port}")
            except (ValueError, OverflowError):
                continue  # The service itself says best what is wrong with it.
    return " and ".join(found)
