"""The template that this service is made from, as its repository tells of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".cruft.json"
"""Which template this is made from, which commit of it, with which answers."""
RELEASE = re.compile(r"\d{4}-\d\d-\d\d")
"""Releases are tags, and dates."""


class Template:
    """A bare clone of the template."""

    def __init__(self, address: str, folder: Path) -> None:
        self.folder = folder
        run("git", "clone", "--quiet", "--bare", address, str(folder))

    def newest(self) -> str:
        """Return the newest release; of a template without any, its newest commit."""
        releases = [tag for tag in self._git("tag").splitlines() if RELEASE.fullmatch(tag)]
        return max(releases) if releases else self._git("rev-parse", "HEAD")

    def name(self, commit: str) -> str:
        """Return the release that a commit is, or where it stands after one."""
        return self._git("describe", "--tags", "--always", commit)

    def holds(self, commit: str, newer: str) -> bool:
        """Tell whether all that `newer` has is in `commit` already."""
        return not self._git("rev-list", "--max-count=1", newer, f"^{commit}")

    def changelog(self, commit: str) -> str:
        """Return the changelog as it was; empty if there was none."""
        listed = self._git("ls-tree", "--name-only", commit, "CHANGELOG.md")
        return self._git("show", f"{commit}:CHANGELOG.md") if listed else ""

    def _git(self, *arguments: str) -> str:
        return run("git", "-C", str(self.folder), *arguments)


def run(*command: str, said: str | None = None, **variables: str) -> str:
    """Run a command that hears what is `said`; return what it prints, or end with its words."""
    done = subprocess.run(
        command,
        input=said,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
