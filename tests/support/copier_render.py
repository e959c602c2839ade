"""Renders the template by Copier, as `uvx copier copy` does."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import copier

from tools.pythons import newest_python

from .template import ROOT, SERVICE, files_of


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
