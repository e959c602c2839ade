"""What an update of the template came to: what is new, and what could not be merged."""

import re
from pathlib import Path

from dev.template import run


def conflicts() -> list[str]:
    """Return a line for each file that somebody has to mend, with each hunk in it."""
    found = []
    unmerged = run("git", "diff", "--name-only", "--diff-filter=U", "--relative")
    for path in unmerged.splitlines():
        lines = Path(path).read_text(errors="replace").splitlines()
        hunks = [str(n) for n, line in enumerate(lines, 1) if line.startswith("<<<<<<< ")]
        where = f"both sides stand there, from line {', '.join(hunks)}"
        found.append(f"- `{path}`: {where if hunks else 'one side edited, the other deleted it'}")
    if found:
        return ["## To be mended by hand", "", *found, ""]
    return ["Everything was merged.", ""]


def news(old: str, new: str) -> list[str]:
    """Return the sections of the new changelog that the old one has not, or has otherwise."""
    known = sections(old)
    return [text for heading, text in sections(new).items() if known.get(heading) != text]


def sections(changelog: str) -> dict[str, str]:
    """Return what stands below each heading, the heading included."""
    parts = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part.rstrip() + "\n" for part in parts}
