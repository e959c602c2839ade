"""`make variant ID=…`: render one of the tested variants and describe it."""

import difflib
import os
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml
from cookiecutter.main import cookiecutter

from tests.support.template import FIRST, files_of
from tests.support.variants import VARIANTS, argument

from .pythons import ROOT, newest_python

FOLDER = ROOT / "variants"


def main(variant: str) -> int:
    """Render and describe the variant with this id; without an id, list all variants."""
    if not variant:
        width = max(map(len, VARIANTS))
        for name, answers in VARIANTS.items():
            print(f"{name:{width}}  {as_arguments(answers)}")
        return 0
    if variant not in VARIANTS:
        near = difflib.get_close_matches(variant, VARIANTS, n=3)
        guess = f"did you mean {' or '.join(near)}? " if near else ""
        print(f"unknown variant {variant}: {guess}`make variant` lists all", file=sys.stderr)
        return 1
    service = render(variant, FOLDER / variant)
    print("\n".join(f"{name:13} {value}" for name, value in described(variant, service).items()))
    print(f"\ncd {os.path.relpath(service)}")
    print("make setup check   # then: make test, make run, make conformance")
    print(f'uv run pytest -k "{variant}"   # in this folder: the template tests')
    return 0


def render(variant: str, folder: Path, **others: Any) -> Path:
    """Empty `folder`, render into it with `others` changed; return the folder of the service."""
    shutil.rmtree(folder, ignore_errors=True)
    answers = {"python_version": newest_python()} | VARIANTS[variant] | others
    rendered = cookiecutter(str(ROOT), no_input=True, extra_context=answers, output_dir=str(folder))
    return Path(rendered)


def described(variant: str, service: Path) -> dict[str, str]:
    """Return facts about a rendered service, by name."""
    project = tomllib.loads((service / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = files_of(service)
    return {
        "variant": variant,
        "answers": as_arguments(VARIANTS[variant]),
        "Python": project["requires-python"].removeprefix("=="),
        "files": str(len(files)),
        "lines of src": str(sum(map(lines_of, service.rglob("src/**/*.py")))),
        "dependencies": listed([re.split(r"[\[=]", need)[0] for need in project["dependencies"]]),
        "containers": listed(containers(service)),
    }


def lines_of(path: Path) -> int:
    """Return how many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())


def containers(service: Path) -> list[str]:
    """Return the names of the Compose services."""
    compose = yaml.safe_load((service / "compose.yaml").read_text(encoding="utf-8"))
    parts = [(service / name).read_text(encoding="utf-8") for name in compose["include"]]
    return sorted(name for part in parts for name in yaml.safe_load(part)["services"])


def as_arguments(answers: dict[str, Any]) -> str:
    """Return the answers that differ from the default, as command-line arguments."""
    others = {name: value for name, value in answers.items() if FIRST[name] != value}
    given = " ".join(shlex.quote(f"{name}={argument(value)}") for name, value in others.items())
    return given or "default"


def listed(names: list[str]) -> str:
    """Return the number of names and the names."""
    return f"{len(names)}: {', '.join(names)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
