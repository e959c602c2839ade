"""Commands that tests run."""

import subprocess
from pathlib import Path

from tools.pythons import UV, outside

LIMIT_SECONDS = 1800


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the environment of a user, with these variables added."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=outside() | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def must_run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command, which must succeed; return its standard output."""
    done = run(*command, cwd=cwd, **variables)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def make(service: Path, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run targets of a service's Makefile."""
    return run("make", f"UV={UV}", *targets, cwd=service, **variables)
