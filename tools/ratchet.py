"""`make ratchet`: records numbers that may only become smaller, in `tests/rules/ratchet.toml`."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from jinja2 import Environment

from tests.support.template import (
    DECLARED,
    FEATURES,
    FIRST,
    OPTIONS,
    REQUIREMENTS,
    ROOT,
    SERVICE,
    expected_files,
    files_of,
    with_derived,
    within,
)
from tests.support.variants import CODE

from .lines import code_lines

Numbers = dict[str, dict[str, int]]
FILE = ROOT / "tests" / "rules" / "ratchet.toml"
HEADER = """\
# Numbers that may only become smaller. `make ratchet` writes down what has improved; what has to
# become larger is written here by hand, with the reason in the message of the commit.
"""
PURPOSES = {
    "conditionals": "Conditionals of each seam.",
    "lines": "Lines of code in `src`: with each answer that decides on it, with all, with none.",
    "places": "Places that name an option, outside of the files that are its own.",
    "tags": "Jinja's tags in all that is rendered.",
}


def numbers() -> Numbers:
    """Return every number as it is now: table, name, value."""
    texts = {path: (SERVICE / path).read_text(encoding="utf-8") for path in files_of(SERVICE)}
    rendered = {path: text for path, text in texts.items() if not _copied(path)}
    conditionals = {path: text.count("{% if ") for path, text in rendered.items()}
    found: Numbers = {
        "conditionals": {path: count for path, count in conditionals.items() if count},
        "lines": {name: _lines(rendered, answers) for name, answers in CODE.items()},
        "places": {option: _places(rendered, option) for option in OPTIONS},
        "tags": {"all": sum(len(re.findall(r"\{[{%]", text)) for text in rendered.values())},
    }
    return {table: dict(sorted(values.items())) for table, values in sorted(found.items())}


def _copied(path: str) -> bool:
    return any(within(path, pattern) for pattern in DECLARED["_copy_without_render"])


def _lines(texts: dict[str, str], answers: dict[str, Any]) -> int:
    """Return how many lines of code these answers bring, read without Cookiecutter's hooks."""
    given = with_derived(FIRST | {"package_name": "p"} | answers)
    jinja = Environment(autoescape=False, **DECLARED["_jinja2_env_vars"])  # noqa: S701
    files = {path for path in expected_files(given) if path.startswith("src/")}
    return sum(
        code_lines(jinja.from_string(text).render(cookiecutter=given) + "\n")
        for path, text in texts.items()
        if path.replace("{{cookiecutter.package_name}}", given["package_name"]) in files
    )


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
