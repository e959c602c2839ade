"""`make run` and `make config`: run the service and its backing services on this machine."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, chdir, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from threading import Event

from watchfiles import PythonFilter, watch

ROOT = Path(__file__).parents[1]
SERVICE = [sys.executable, "-m", "{{ cookiecutter.package_name }}"]
STOP_SECONDS = 5


def main(arguments: list[str]) -> int:
    """Run one command of the service, or serve until Ctrl-C; return the exit status."""
    if not arguments and (taken := ports_in_use()):
        print(f"make run: {taken} already in use; stop that process or set it", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        stack.enter_context(chdir(ROOT))
        signal.signal(signal.SIGINT, interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(0))  # So that the stack is unwound.
        attached = [stack.enter_context(provided) for provided in backing_services()]
        {% if cookiecutter.database != "none" %}
        quiet = {"LOG_LEVEL": "warning"} | os.environ
        migrate = [*SERVICE, "migrate"]
        if status := subprocess.call(migrate, env=quiet, start_new_session=True):
            return status
        {% endif %}
        if arguments:
            return subprocess.call([*SERVICE, *arguments])
        processes: dict[str, dict[str, str]] = {"web": {}}
        {% if cookiecutter.worker %}
        worker_metrics = str(int(os.environ.get("METRICS_PORT") or "9090") + 1)
        attached.append(f"worker; metrics at http://localhost:{worker_metrics}/metrics")
        # The timeout is long enough for a debugger.
        worker = {"JOB_SECONDS": "3600"} | os.environ | {"METRICS_PORT": worker_metrics}
        processes["worker"] = worker
        {% endif %}
        stop = Event()  # An exception could be raised while a process starts, which would remain.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        url = f"http://localhost:{os.environ.get('PORT') or '8000'}"
        print(f"Service   {url}\nAPI docs  {url}/docs")
        print("".join(f"Attached  {each}\n" for each in attached) + "Stop      Ctrl-C", flush=True)
        changes = watch("src", watch_filter=PythonFilter(), stop_event=stop)
        while not stop.is_set():
            with ExitStack() as running:
                for command, variables in processes.items():
                    running.enter_context(process(command, variables))
                next(changes, None)
        # uv forwards Ctrl-C a second time, which must not interrupt the clean-up or the exit.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return 0


@contextmanager
def process(command: str, variables: dict[str, str]) -> Iterator[None]:
    """Run a process of the service, in a new session: Ctrl-C is for `main` only."""
    arguments, environment = [*SERVICE, command], os.environ | variables
    with subprocess.Popen(arguments, env=environment, start_new_session=True) as started:
        try:
            yield
        finally:
            started.terminate()
            try:
                started.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                started.kill()


def interrupt(*_: object) -> None:
    """Stop on the first Ctrl-C; ignore the second one, from uv."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def backing_services() -> list[AbstractContextManager[str]]:
    """Return `provided` of every module in `dev/backing_services`."""
    modules = iter_modules([str(ROOT / "dev" / "backing_services")])
    return [
        import_module(f"dev.backing_services.{module.name}").provided(ROOT / ".dev")
        for module in modules
    ]


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


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT if sys.argv[1:] else 0)  # Else make reports an error.
