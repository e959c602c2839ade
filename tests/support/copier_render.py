"""Renders the template by Copier, as `uvx copier copy` does."""

import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import copier

from tools.pythons import newest_python

from .template import FIRST, ROOT, SERVICE, files_of


@cache
def template_without_git() -> Path:
    """Return a copy of the working tree's template; of a repository Copier would take a commit."""
    folder = Path(tempfile.mkdtemp(prefix="copier-template-"))
    shutil.copy(ROOT / "copier.yml", folder)
    shutil.copytree(ROOT / "templates", folder / "templates")
    for name in files_of(SERVICE):
        (folder / SERVICE.name / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SERVICE / name, folder / SERVICE.name / name)
    return folder


def render_by_copier(service: Path, answers: dict[str, Any], *, pretend: bool = False) -> None:
    """Render into the folder `service`; raises `ValueError` with the reasons to reject answers."""
    copier.run_copy(
        str(template_without_git()),
        service,
        data={"python_version": newest_python()} | answers,
        defaults=True,
        quiet=True,
        pretend=pretend,
    )


def engines(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Copier renders the same files, byte for byte."""
    given = {name: value for name, value in answers.items() if value != FIRST.get(name, value)}
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder, "service")
        render_by_copier(other, given)
        (other / ".copier-answers.yml").unlink()
        for path in sorted(files_of(service) | files_of(other)):
            if not (other / path).exists() or not (service / path).exists():
                yield f"{path}: only one engine renders it"
            elif (other / path).read_bytes() != (service / path).read_bytes():
                yield f"{path}: differs between Cookiecutter and Copier"
