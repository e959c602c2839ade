"""`make ratchet`: record size limits that may only shrink, in `tests/rules/ratchet.toml`."""

import json
import re
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.support.template import (
    DECLARED,
    FEATURES,
    OPTIONS,
    REQUIREMENTS,
    ROOT,
    SERVICE,
    files_of,
    verbatim,
    within,
)

from .variant import render

Numbers = dict[str, dict[str, int]]
FILE = ROOT / "tests" / "rules" / "ratchet.toml"
HEADER = """\
# Limits that may only shrink. `make ratchet` records improvements. To raise a limit, edit it by
# hand and give the reason in the commit message.
"""
MEASURED = {"default": "chassis_tests-no", "bare": "bare", "full": "full"}
"""The measured variants, without the tests of the chassis, as teams render them."""
PURPOSES = {
    "conditionals": "Conditionals per seam.",
    "files": "Files of a render.",
    "lines": "Lines of a render.",
    "longest": "Lines of the longest module in `src`.",
    "owned": "Lines of `src` outside `chassis/`, which the team owns.",
    "places": "Occurrences of an option's name outside the files of its feature.",
    "src": "Lines of `src`.",
    "tags": "Jinja tags in rendered files: all, block tags, and files with block tags.",
}


def numbers() -> Numbers:
    """Return all current numbers, by table and name."""
    texts = {path: (SERVICE / path).read_text(encoding="utf-8") for path in files_of(SERVICE)}
    rendered = {path: text for path, text in texts.items() if not verbatim(text)}
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


def _sizes() -> Numbers:
    """Return the sizes of the default, bare and full variants."""
    found: Numbers = {name: {} for name in ("files", "lines", "src", "owned", "longest")}
    with tempfile.TemporaryDirectory() as folder:
        for label, variant in MEASURED.items():
            service = render(variant, Path(folder, variant), chassis_tests=False)
            for name, value in size(service).items():
                found[name][label] = value
    return found


def size(service: Path) -> dict[str, int]:
    """Return the numbers of files and lines of a rendered service."""
    lines = {
        path: len((service / path).read_text(encoding="utf-8").splitlines())
        for path in files_of(service)
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
    """Return how often an option is named at seams and in declarations of other features."""
    condition, feature = re.compile(rf"cookiecutter\.{option}\b"), re.compile(rf"{option}(!?=|$)")
    own = [path for name, patterns in FEATURES.items() if feature.match(name) for path in patterns]
    places = sum(
        len(condition.findall(text))
        for path, text in texts.items()
        if not any(within(path, pattern) for pattern in own)
    )
    places += len(condition.findall(json.dumps(DECLARED)))
    needs = [*REQUIREMENTS, *(need for each in REQUIREMENTS.values() for need in each)]
    return places + sum(bool(feature.match(name)) for name in [*FEATURES, *needs])


def read(file: Path) -> Numbers:
    """Return the recorded numbers; none if the file does not exist."""
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def risen(written: Numbers, found: Numbers) -> list[str]:
    """Return the numbers above their limit, as `[table] name = old is now new`."""
    return [
        f"[{table}] {key(name)} = {written[table][name]} is now {value}"
        for table, values in found.items()
        for name, value in values.items()
        if value > written.get(table, {}).get(name, value)
    ]


def improved(written: Numbers, found: Numbers) -> list[str]:
    """Return the numbers below their limit, without a limit, or gone."""
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
    """Return a name as a TOML key."""
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
    """Write the current numbers; if any rose, write nothing and return 1."""
    written = read(file)
    if rose := risen(written, found):
        advice = "make it smaller, or raise the limit by hand"
        print(f"ratchet: {'; '.join(rose)}: {advice}", file=sys.stderr)
        return 1
    file.write_text(text_of(found), encoding="utf-8")
    print(f"ratchet: {'; '.join(improved(written, found)) or 'no change'}")
    return 0


if __name__ == "__main__":
    sys.exit(record(FILE, numbers()))
