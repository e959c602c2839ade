"""Finds words and phrases that plain technical English replaces (`tests/rules/wording.toml`)."""

import re
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from .own_files import texts
from .pythons import ROOT

FILE = ROOT / "tests" / "rules" / "wording.toml"


class Rule(NamedTuple):
    """A wording to avoid, and the files that it applies to."""

    pattern: re.Pattern[str]
    instead: str
    only: list[str]


class Wording:
    """The rules, the accepted terms and the files that are not read."""

    def __init__(self, declared: dict[str, Any]) -> None:
        self._rules = [
            Rule(
                re.compile(rf"\b(?:{rule['pattern']})\b", re.IGNORECASE),
                rule["instead"],
                rule.get("only", ["*"]),
            )
            for rule in declared["rule"]
        ]
        self._accepted = re.compile("|".join(declared["accepted"]["terms"]), re.IGNORECASE)
        self._unread: list[str] = declared["files"]["unread"]

    def findings(self, path: str, text: str) -> Iterator[str]:
        """Yield `line: 'words', better: …` for each wording to avoid in the text of a file."""
        if _matches(path, self._unread):
            return
        rules = [rule for rule in self._rules if _matches(path, rule.only)]
        for number, line in enumerate(text.splitlines(), 1):
            plain = self._accepted.sub("", line.replace("_", " "))
            for rule in rules:
                for found in rule.pattern.finditer(plain):
                    yield f"{number}: '{found[0]}', better: {rule.instead}"


def read(file: Path = FILE) -> Wording:
    """Return the rules that are declared in this file."""
    return Wording(tomllib.loads(file.read_text(encoding="utf-8")))


def _matches(path: str, patterns: list[str]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def main(prefixes: list[str]) -> int:
    """Print the findings in files whose paths start with one of the prefixes; return 1 if any."""
    wording, count = read(), 0
    for path in map(str, texts(ROOT)):
        if path.startswith(tuple(prefixes or [""])):
            for finding in wording.findings(path, (ROOT / path).read_text(encoding="utf-8")):
                print(f"{path}:{finding}")
                count += 1
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
