"""Every command that the benchmark runs ends: by itself, at its deadline, or with the benchmark."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from typing import IO

GRACE_SECONDS = 15.0
TAIL = 500


class UnmeasurableError(Exception):
    """Something without which nothing can be measured, told in one line."""


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
    process = Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=PIPE,
        stdout=output,
        stderr=errors,
        start_new_session=True,  # Whatever it starts in its turn can be ended with it.
    )
    try:
        yield process
    finally:
        _end(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
) -> str:
    """Run a command to its end and return what it wrote; it has to succeed within `seconds`."""
    name = " ".join([Path(command[0]).name, *command[1:]])
    with running(command, folder=folder, environment=environment, output=PIPE) as process:
        try:
            written, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise UnmeasurableError(f"`{name}` took more than {seconds:g} s") from None
    text = written.decode(errors="replace")
    if process.returncode:
        raise UnmeasurableError(f"`{name}` ended with {process.returncode}: {one_line(text)}")
    return text


def one_line(text: str) -> str:
    """Return the last words of a text, such as a log, in one line."""
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())[-TAIL:]


def _end(process: Popen[bytes]) -> None:
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(GRACE_SECONDS)
