"""`make run` and `make config`: run the service and its backing services on this machine."""

import os
import shlex
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack, chdir
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from watchfiles import PythonFilter, run_process

from dev.ports import ports_in_use
{% if cookiecutter.worker %}
from dev.worker import worker_running
{% endif %}

ROOT = Path(__file__).parents[1]
SERVICE = [sys.executable, "-m", "{{ cookiecutter.package_name }}"]


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
        for provided in backing_services():
            stack.enter_context(provided)
        {% if cookiecutter.database != "none" %}
        subprocess.run([*SERVICE, "migrate"], check=True)
        {% endif %}
        if arguments:
            return subprocess.call([*SERVICE, *arguments])
        {% if cookiecutter.worker %}
        stack.enter_context(worker_running(SERVICE))
        {% endif %}
        port = os.environ.get("PORT") or "8000"
        print(f"Try http://localhost:{port}/docs; Ctrl-C stops.", flush=True)
        web = shlex.join([*SERVICE, "web"])
        run_process("src", target=web, target_type="command", watch_filter=PythonFilter())
    return 0


def interrupt(*_: object) -> None:
    """Stop on Ctrl-C, which uv forwards a second time: do not interrupt the clean-up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def backing_services() -> list[AbstractContextManager[None]]:
    """Return `provided` of every module in `dev/backing_services`."""
    modules = iter_modules([str(ROOT / "dev" / "backing_services")])
    return [
        import_module(f"dev.backing_services.{module.name}").provided(ROOT / ".dev")
        for module in modules
    ]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
