"""`make run` and `make config`: the service beside what it needs, on this machine alone."""

import os
import shlex
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from watchfiles import PythonFilter, run_process

{% if cookiecutter.database == "postgresql" %}
from dev import postgres
{% endif %}

ROOT = Path(__file__).parents[1]
SERVICE = [sys.executable, "-m", "{{ cookiecutter.package_name }}"]


def main(arguments: list[str]) -> int:
    """Run one command of the service, or serve until Ctrl-C; return the exit status."""
    if not arguments and (taken := ports_in_use()):
        print(f"make run: {taken} in use; free it or choose another", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        {% if cookiecutter.database == "postgresql" %}
        stack.enter_context(postgres.provided(ROOT / ".dev" / "postgres"))
        {% endif %}
        {% if cookiecutter.database != "none" %}
        subprocess.run([*SERVICE, "migrate"], check=True)
        {% endif %}
        if arguments:
            return subprocess.call([*SERVICE, *arguments])
        port = os.environ.get("PORT") or "8000"
        print(f"Try http://localhost:{port}/docs; Ctrl-C stops.", flush=True)
        run_process(
            ROOT / "src",
            target=shlex.join([*SERVICE, "web"]),
            target_type="command",
            watch_filter=PythonFilter(),
        )
    return 0


def ports_in_use() -> str:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
