"""Checks every file of the template as it stands, and prints a line a fault."""

import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from .formats import wrong
from .pythons import ROOT

RENDERED = "{{cookiecutter.project_slug}}"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def own_files(root: Path) -> list[Path]:
    """Return all files but those that git ignores, whether git knows them or not."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [".git", *(line.strip("/") for line in lines)]

    def kept(path: Path) -> bool:
        return not any(fnmatch(part, each) for part in path.parts for each in ignored)

    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(filter(kept, files))


def faults(root: Path) -> Iterator[str]:
    """Yield what is wrong with each file, as `file: what`."""
    for path in own_files(root):
        try:
            text = (root / path).read_bytes().decode()
        except UnicodeDecodeError:
            yield f"{path}: is no UTF-8"
            continue
        found = [*spaced(text)]
        if path.parts[0] != RENDERED:
            found += wrong(root / path)
            found += broken_links(root / path, text) if path.suffix == ".md" else []
        yield from (f"{path}: {fault}" for fault in found)


def spaced(text: str) -> Iterator[str]:
    """Yield what is wrong with ends of lines and with the end of the text."""
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield f"line {number} ends with a blank"
        if re.match("(<<<<<<<|>>>>>>>)( |$)", line):
            yield f"line {number} is left of a merge"
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield "does not end with one newline"


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Yield the links of a document that lead to no file, or to no heading of that file."""
    for link in LINK.findall(text):
        name, _, heading = link.partition("#")
        target = path.parent / name if name else path
        if ":" in link:
            continue
        if not target.exists():
            yield f"the link {link} leads nowhere"
        elif heading and heading not in headings(target.read_text(encoding="utf-8")):
            yield f"the link {link} leads to no heading"


def headings(text: str) -> set[str]:
    """Return the headings of a document as links name them."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


if __name__ == "__main__":
    found = list(faults(ROOT))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
