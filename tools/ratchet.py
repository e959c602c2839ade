"""`make ratchet`: records numbers that may only become smaller, in `tests/rules/ratchet.toml`."""

import json
import re
import sys
import tempfile
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests.support.template import (
    DECLARED,
    FEATURES,
    OPTIONS,
    REQUIREMENTS,
    ROOT,
    SERVICE,
    files_of,
    within,
)
from tests.support.variants import EXTREMES

from .variant import render

Numbers = dict[str, dict[str, int]]
FILE = ROOT / "tests" / "rules" / "ratchet.toml"
HEADER = """\
# Numbers that may only become smaller. `make ratchet` writes down what has improved; what has to
# become larger is written here by hand, with the reason in the message of the commit.
"""
PURPOSES = {
    "conditionals": "Conditionals of each seam.",
    "files": "Files of a render, without those that are left to standard tools.",
    "lines": "Lines of these files, as they stand.",
    "longest": "Lines of the longest module in `src`.",
    "owned": "Lines of `src` that a team owns: all but `chassis/`.",
    "places": "Places that name an option, outside of the files that are its own.",
    "src": "Lines of `src`.",
    "tags": "Jinja's tags in all that is rendered: all, those of blocks, and files that hold one.",
}
LEFT_TO_TOOLS = (
    *("delivery/*", "dev/template*", "dev/proposal.py", "dev/*pull_request*"),
    *("dev/merge_request.py", "dev/proposed_branch.py", ".github/workflows/template-update.yml"),
)
"""Files that standard tools for releases and updates are to replace."""


def numbers() -> Numbers:
    """Return every number as it is now: table, name, value."""
    texts = {path: (SERVICE / path).read_text(encoding="utf-8") for path in files_of(SERVICE)}
    rendered = {path: text for path, text in texts.items() if not _copied(path)}
    conditionals = {path: text.count("{% if ") for path, text in rendered.items()}
    blocks = [len(re.findall(r"\{%", text)) for text in rendered.values()]
    found: Numbers = {
        "conditionals": {path: count for path, count in conditionals.items() if count},
        "places": {option: _places(rendered, option) for option in OPTIONS},
        "tags": {
            "all": sum(len(re.findall(r"\{[{%]", text)) for text in rendered.values()),
            "blocks": sum(blocks),
            "files": sum(map(bool, blocks)),
        },
        **_sizes(),
    }
    return {table: dict(sorted(values.items())) for table, values in sorted(found.items())}


def _copied(path: str) -> bool:
    return any(within(path, pattern) for pattern in DECLARED["_copy_without_render"])


def _sizes() -> Numbers:
    """Render the default, the least and the most, and return how large they are."""
    found: Numbers = {name: {} for name in ("files", "lines", "src", "owned", "longest")}
    with tempfile.TemporaryDirectory() as folder:
        for variant in EXTREMES:
            for name, value in size(render(variant, Path(folder, variant))).items():
                found[name][variant] = value
    return found


def size(service: Path) -> dict[str, int]:
    """Return how many files and lines a rendered service has, of which kinds."""
    lines = {
        path: len((service / path).read_text(encoding="utf-8").splitlines())
        for path in files_of(service)
        if not any(fnmatch(path, pattern) for pattern in LEFT_TO_TOOLS)
    }
    src = {path: count for path, count in lines.items() if path.startswith("src/")}
    return {
        "files": len(lines),
        "lines": sum(lines.values()),
        "src": sum(src.values()),
        "owned": sum(count for path, count in src.items() if "/chassis/" not in path),
        "longest": max(src.values()),
    }


def _places(texts: dict[str, str], option: str) -> int:
    """Return how often an option is named: at seams and in what is declared of other things."""
    asked, named = re.compile(rf"cookiecutter\.{option}\b"), re.compile(rf"{option}(!?=|$)")
    own = [path for name, patterns in FEATURES.items() if named.match(name) for path in patterns]
    places = sum(
        len(asked.findall(text))
        for path, text in texts.items()
        if not any(within(path, pattern) for pattern in own)
    )
    places += len(asked.findall(json.dumps(DECLARED)))
    needs = [*REQUIREMENTS, *(need for each in REQUIREMENTS.values() for need in each)]
    return places + sum(bool(named.match(name)) for name in [*FEATURES, *needs])


def read(file: Path) -> Numbers:
    """Return the numbers as they are written down; without a file, none."""
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def risen(written: Numbers, found: Numbers) -> list[str]:
    """Return what is larger than it is written, as `[table] name = old is now new`."""
    return [
        f"[{table}] {key(name)} = {written[table][name]} is now {value}"
        for table, values in found.items()
        for name, value in values.items()
        if value > written.get(table, {}).get(name, value)
    ]


def improved(written: Numbers, found: Numbers) -> list[str]:
    """Return what is smaller than it is written, not written yet, or gone."""
    names = [(table, name) for each in (found, written) for table in each for name in each[table]]
    pairs = {
        f"[{table}] {key(name)}": (written.get(table, {}).get(name), found.get(table, {}).get(name))
        for table, name in names
    }
    return [
        f"{name} = {'new' if old is None else old} is now {'gone' if new is None else new}"
        for name, (old, new) in pairs.items()
        if old is None or new is None or new < old
    ]


def key(name: str) -> str:
    """Return a name as TOML writes it."""
    return name if re.fullmatch(r"[\w-]+", name) else json.dumps(name)


def text_of(found: Numbers) -> str:
    """Return the text of the file."""
    tables = [
        f"\n# {PURPOSES[table]}\n[{table}]\n"
        + "".join(f"{key(name)} = {value}\n" for name, value in values.items())
        for table, values in found.items()
    ]
    return HEADER + "".join(tables)


def record(file: Path, found: Numbers) -> int:
    """Write what has improved, is new or is gone; if anything rose write nothing and return 1."""
    written = read(file)
    if rose := risen(written, found):
        told = f"ratchet: {'; '.join(rose)}: make it smaller, or write the new number by hand"
        print(told, file=sys.stderr)
        return 1
    file.write_text(text_of(found), encoding="utf-8")
    print(f"ratchet: {'; '.join(improved(written, found)) or 'nothing has changed'}")
    return 0


if __name__ == "__main__":
    sys.exit(record(FILE, numbers()))
