"""Check every unrendered file of the template: whitespace, syntax and links."""

import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from .formats import syntax_errors
from .pythons import ROOT

RENDERED = "{{cookiecutter.project_slug}}"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def own_files(root: Path) -> list[Path]:
    """Return all files that git does not ignore, tracked or not."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [".git", *(line.strip("/") for line in lines)]

    def kept(path: Path) -> bool:
        return not any(fnmatch(part, each) for part in path.parts for each in ignored)

    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(filter(kept, files))


def texts(root: Path) -> list[Path]:
    """Return the files of `own_files` without pictures."""
    return [path for path in own_files(root) if path.suffix != ".png"]


def findings(root: Path) -> Iterator[str]:
    """Yield the problems of all texts, as `file: problem`."""
    for path in texts(root):
        try:
            text = (root / path).read_bytes().decode()
        except UnicodeDecodeError:
            yield f"{path}: not UTF-8"
            continue
        found = [*whitespace_errors(text)]
        if path.parts[0] != RENDERED:
            found += syntax_errors(root / path)
            found += broken_links(root / path, text) if path.suffix == ".md" else []
        yield from (f"{path}: {problem}" for problem in found)


def whitespace_errors(text: str) -> Iterator[str]:
    """Yield trailing blanks, conflict markers, and a missing or surplus newline at the end."""
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield f"line {number}: trailing whitespace"
        if re.match("(<<<<<<<|>>>>>>>)( |$)", line):
            yield f"line {number}: conflict marker"
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield "does not end with exactly one newline"


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Yield the relative links whose file or heading does not exist."""
    for link in LINK.findall(text):
        name, _, heading = link.partition("#")
        target = path.parent / name if name else path
        if ":" in link:
            continue
        if not target.exists():
            yield f"broken link {link}: no such file"
        elif heading and heading not in headings(target.read_text(encoding="utf-8")):
            yield f"broken link {link}: no such heading"


def headings(text: str) -> set[str]:
    """Return the anchors of the headings of a document."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


if __name__ == "__main__":
    found = list(findings(ROOT))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
