"""`make run` and `make config`: the service beside what it needs, on this machine alone."""

import os
import shlex
import signal
import subprocess
import sys
from contextlib import ExitStack, chdir
from pathlib import Path

from watchfiles import PythonFilter, run_process

{% if cookiecutter.database == "mongodb" %}
from dev import mongodb
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from dev import postgres
{% endif %}
from dev.ports import in_use
{% if cookiecutter.redis %}
from dev.redis import redis_provided
{% endif %}
{% if cookiecutter.worker %}
from dev.worker import worker_running
{% endif %}

ROOT = Path(__file__).parents[1]
SERVICE = [sys.executable, "-m", "{{ cookiecutter.package_name }}"]


def main(arguments: list[str]) -> int:
    """Run one command of the service, or serve until Ctrl-C; return the exit status."""
    if not arguments and (taken := in_use()):
        print(f"make run: {taken} is in use; stop what uses it, or set another", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        stack.enter_context(chdir(ROOT))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # So that the stack is unwound.
        {% if cookiecutter.database == "mongodb" %}
        stack.enter_context(mongodb.provided(ROOT / ".dev" / "mongodb"))
        {% endif %}
        {% if cookiecutter.database == "postgresql" %}
        stack.enter_context(postgres.provided(ROOT / ".dev" / "postgres"))
        {% endif %}
        {% if cookiecutter.redis %}
        stack.enter_context(redis_provided())
        {% endif %}
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
