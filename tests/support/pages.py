"""Performs the code blocks of a page in a service's documentation, as a reader would."""

import re
from pathlib import Path

from tools.pythons import UV

from .commands import must_run

BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def perform(service: Path, page: str, section: str = "") -> int:
    """Write each block with a file name, run each command; return the number of commands.

    `section` is the heading of the only part that is performed.
    """
    shown = (service / page).read_text(encoding="utf-8")
    if section:
        shown = shown.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    blocks = BLOCK.findall(shown)
    assert blocks, f"{page} shows no code"
    count = 0
    for language, path, text in blocks:
        if language == "console":
            for command in re.findall(r"(?m)^\$ (.*)$", text):
                installed = re.sub(r"^uv\b", UV, command)
                must_run("/bin/sh", "-c", installed, cwd=service, MAKEFLAGS=f"UV={UV}")
                count += 1
        elif language == "diff":
            insert(service / path, text)
        elif "*" in path:
            replace_functions(service, path, text)
        elif path:
            (service / path).parent.mkdir(parents=True, exist_ok=True)
            (service / path).write_text(text, encoding="utf-8")
    return count


def insert(file: Path, diff: str) -> None:
    """Insert the added lines of a diff, each group after the line above it."""
    lines = file.read_text(encoding="utf-8").splitlines()
    at = 0
    for line in diff.splitlines():
        if line.startswith("+"):
            lines.insert(at, line[1:])
        else:
            assert lines.count(line[1:]) == 1, f"{file.name}: {line[1:]!r} is not one line"
            at = lines.index(line[1:])
        at += 1
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")


def replace_functions(service: Path, pattern: str, text: str) -> None:
    """Replace all functions of the only file that matches a pattern."""
    (file,) = service.glob(pattern)
    above, _, _ = file.read_text(encoding="utf-8").partition("def ")
    file.write_text(above + text, encoding="utf-8")
