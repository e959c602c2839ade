"""`make variant ID=…`: renders one of the variants that are verified, and says what it is."""

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
from tests.support.variants import VARIANTS, spoken

from .pythons import ROOT, newest_python

FOLDER = ROOT / "variants"


def main(variant: str) -> int:
    """Render the variant of this id and say what it is; without one, list all of them."""
    if not variant:
        width = max(map(len, VARIANTS))
        for name, answers in VARIANTS.items():
            print(f"{name:{width}}  {told(answers)}")
        return 0
    if variant not in VARIANTS:
        near = difflib.get_close_matches(variant, VARIANTS, n=3)
        guess = f"is it {' or '.join(near)}? " if near else ""
        print(f"no variant {variant}: {guess}make variant lists them", file=sys.stderr)
        return 1
    service = render(variant, FOLDER / variant)
    print("\n".join(f"{name:13} {value}" for name, value in described(variant, service).items()))
    print(f"\ncd {os.path.relpath(service)}")
    print("make setup check   # then: make test, make run, make conformance")
    print(f'uv run pytest -k "{variant}"   # from here: what the template asks of it')
    return 0


def render(variant: str, folder: Path) -> Path:
    """Render into `folder`, which is emptied before; return the folder of the service."""
    shutil.rmtree(folder, ignore_errors=True)
    answers = {"python_version": newest_python()} | VARIANTS[variant]
    rendered = cookiecutter(str(ROOT), no_input=True, extra_context=answers, output_dir=str(folder))
    return Path(rendered)


def described(variant: str, service: Path) -> dict[str, str]:
    """Return what a rendered service is made of, each by a name."""
    project = tomllib.loads((service / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = files_of(service)
    return {
        "variant": variant,
        "answers": told(VARIANTS[variant]),
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
    """Return the names of what Compose starts."""
    compose = yaml.safe_load((service / "compose.yaml").read_text(encoding="utf-8"))
    parts = [(service / name).read_text(encoding="utf-8") for name in compose["include"]]
    return sorted(name for part in parts for name in yaml.safe_load(part)["services"])


def told(answers: dict[str, Any]) -> str:
    """Return answers as they are given on a command line; there are those that differ."""
    others = {name: value for name, value in answers.items() if FIRST[name] != value}
    given = " ".join(shlex.quote(f"{name}={spoken(value)}") for name, value in others.items())
    return given or "the default"


def listed(names: list[str]) -> str:
    """Return how many there are and which."""
    return f"{len(names)}: {', '.join(names)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
