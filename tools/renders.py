"""Render the default, bare and full variants; check syntax, format and wording of their files."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.main import cookiecutter
from jinja2 import TemplateError

from tests.support.template import SERVICE, files_of
from tests.support.variants import EXTREMES

from .formats import syntax_errors
from .pythons import ROOT, newest_python
from .wording import read


def findings(template: Path, variants: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the problems of these variants, as `variant: file: problem`."""
    for name, answers in variants.items():
        with tempfile.TemporaryDirectory() as folder:
            for problem in _findings_in(template, Path(folder), answers):
                yield f"{name}: {problem}"


def _findings_in(template: Path, folder: Path, answers: dict[str, Any]) -> Iterator[str]:
    given = {"python_version": newest_python()} | answers
    try:
        service = Path(
            cookiecutter(str(template), no_input=True, extra_context=given, output_dir=str(folder))
        )
    except (CookiecutterException, TemplateError) as error:
        yield f"rendering failed: {' '.join(str(error).split())}"
        return
    wording = read()
    for path in sorted(files_of(service)):
        yield from (f"{path}: {error}" for error in syntax_errors(service / path))
        text = (service / path).read_text(encoding="utf-8", errors="replace")
        yield from (f"{path}:{found}" for found in wording.findings(f"{SERVICE.name}/{path}", text))
    yield from _ruff(service)


def _ruff(service: Path) -> Iterator[str]:
    """Yield the findings of ruff with the configuration of the service."""
    for command in (["check"], ["format", "--check"]):
        done = _run_ruff(service, *command)
        found = re.findall(r"^(\S+:\d+):\d+: (.*)", done.stdout, re.MULTILINE)
        yield from (f"{place}: {finding}" for place, finding in found)
        if done.returncode and not found:
            yield f"pyproject.toml: {' '.join(done.stderr.split())}"


def _run_ruff(service: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    ruff = Path(sys.executable).with_name("ruff")
    command = [str(ruff), *arguments, "--output-format=concise", "--no-cache"]
    return subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    found = list(findings(ROOT, EXTREMES))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
