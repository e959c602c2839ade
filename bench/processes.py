"""Commands with a time limit, and the environments they run in."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from typing import IO

from tools.pythons import outside

STOP_SECONDS = 15.0
CALLER = ("PYTHON", "UV_PROJECT_ENVIRONMENT")
"""Prefixes of the variables that concern only the caller's Python."""
MACHINE = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")


class BenchmarkError(Exception):
    """A measurement is not possible; the message is one line."""


def tool_environment(temporary: Path) -> dict[str, str]:
    """Return the caller's environment without its make and Python, for tools such as uv."""
    kept = {name: value for name, value in outside().items() if not name.startswith(CALLER)}
    return {**kept, "TMPDIR": str(temporary)}  # Some tools leave files there.


def server_environment(**settings: object) -> dict[str, str]:
    """Return an environment with only these settings; no bytecode is written, as in the image."""
    kept = {name: os.environ[name] for name in MACHINE if name in os.environ}
    named = {name.upper(): str(value) for name, value in settings.items()}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **named}


@contextmanager
def running(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    errors: IO[bytes] | int = STDOUT,
) -> Iterator[Popen[bytes]]:
    """Run a command until the block ends; its standard input is a pipe."""
    with Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=PIPE,
        stdout=output,
        stderr=errors,
        start_new_session=True,  # Its child processes can be stopped with it.
    ) as process:
        try:
            yield process
        finally:
            _stop(process)


def run(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float
) -> str:
    """Run a command to its end and return its output; it must succeed within `seconds`."""
    name = " ".join([Path(command[0]).name, *command[1:]])
    with running(command, folder=folder, environment=environment, output=PIPE) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"`{name}` took longer than {seconds:g} s") from None
    text = output.decode(errors="replace")
    if process.returncode:
        raise BenchmarkError(f"`{name}` exited with {process.returncode}: {one_line(text)}")
    return text


def one_line(text: str) -> str:
    """Return the last 500 characters of a text, such as a log, in one line."""
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())[-500:]


def _stop(process: Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
