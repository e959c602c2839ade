"""A build by hand: the builder is a person, and nobody else says that it was so."""

import subprocess
import sys
from uuid import uuid4

from .provenance import Run

KIND = "https://www.gnu.org/software/make/"


def run() -> Run:
    """Return what git knows; refuse what nobody could build again."""
    if git("status", "--porcelain"):
        sys.exit("PLATFORM=none: commit your changes first: what is signed has to be a commit")
    return Run(
        builder=f"mailto:{git('config', 'user.email')}",
        kind=KIND,
        repository=git("remote", "get-url", "origin"),
        commit=git("rev-parse", "HEAD"),
        ref=git("rev-parse", "--symbolic-full-name", "HEAD"),
        workflow="Makefile",
        invocation=uuid4().urn,
        started_by="hand",
    )


def git(*arguments: str) -> str:
    """Run git; return what it prints, or end with its words."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"PLATFORM=none: git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
