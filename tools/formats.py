"""Syntax checks of single files: the format follows from the name of the file."""

import configparser
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

SHELL = re.compile(rb"#!.*\b(ba|da)?sh\n")
ASSIGNMENT = re.compile(r"(#.*|[A-Z][A-Z0-9_]*=.*)?")


def syntax_errors(path: Path) -> Iterator[str]:
    """Yield the first syntax error of a file as one line; unknown formats have none."""
    parse = PARSERS.get(path.name) or PARSERS.get(path.suffix)
    if parse is None and SHELL.match(path.read_bytes()):
        parse = _shell
    if parse:
        try:
            parse(path)
        except (ValueError, yaml.YAMLError, configparser.Error) as error:
            yield " ".join(str(error).split())


def _run(path: Path, *command: str) -> None:
    """Run a checker in the folder of the file; raise `ValueError` with its output if it fails."""
    tool = Path(sys.executable).with_name(command[0])
    program = str(tool) if tool.exists() else command[0]
    done = subprocess.run(
        [program, *command[1:], path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stdout + done.stderr)


def _shell(path: Path) -> None:
    _run(path, "shellcheck", "--format=gcc")


def _makefile(path: Path) -> None:
    _run(path, "make", "--dry-run", "help", "--file")


def _dockerfile(path: Path) -> None:
    _run(path, "hadolint", "--no-color")


def _assignments(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not ASSIGNMENT.fullmatch(line):
            raise ValueError(f"line {number} is not NAME=value")


def _text(parse: Callable[[str], object]) -> Callable[[Path], None]:
    def check(path: Path) -> None:
        parse(path.read_text(encoding="utf-8"))

    return check


def _yaml_documents(text: str) -> None:
    list(yaml.safe_load_all(text))


PARSERS: dict[str, Callable[[Path], None]] = {
    "Dockerfile": _dockerfile,
    "Makefile": _makefile,
    ".env.example": _assignments,
    ".env": _assignments,
    ".ini": _text(configparser.ConfigParser(interpolation=None).read_string),
    ".json": _text(json.loads),
    ".sh": _shell,
    ".toml": _text(tomllib.loads),
    ".yaml": _text(_yaml_documents),
    ".yml": _text(_yaml_documents),
}
