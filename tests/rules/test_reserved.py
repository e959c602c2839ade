"""Package names are reserved if a dependency or a folder of the service has the same name."""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

from tests.support.commands import must_run
from tests.support.template import DECLARED, SERVICE
from tools.pythons import UV, newest_python

BUILDS = {"python", "uv"}
"""Names that the build of the image uses: a package of the same name would hide them."""


def requirements() -> list[str]:
    """Return the dependencies of all variants."""
    text = (SERVICE / "pyproject.toml").read_text(encoding="utf-8")
    read = tomllib.loads("".join(line for line in text.splitlines(True) if "{%" not in line))
    groups = read["dependency-groups"]
    return [*read["project"]["dependencies"], *groups["dev"], *groups["chaos"]]


def installed(folder: Path) -> set[str]:
    """Install all requirements below a folder; return their top-level modules."""
    (folder / ".python-version").write_text(newest_python() + "\n")
    for command in (["venv"], ["pip", "install", *requirements()]):
        must_run(UV, *command, cwd=folder)
    (site,) = folder.glob(".venv/lib/python*/site-packages")
    found = importlib.metadata.distributions(path=[str(site)])
    return {file.parts[0].removesuffix(".py") for one in found for file in one.files or []}


def test_reserved_names_are_those_of_dependencies_folders_and_build_tools(tmp_path: Path) -> None:
    names = installed(tmp_path) | {path.name for path in SERVICE.iterdir() if path.is_dir()}
    possible = {name for name in names if re.fullmatch("[a-z](_?[a-z0-9])*", name)}
    reserved = DECLARED["_reserved"]
    assert set(reserved) == possible - sys.stdlib_module_names | BUILDS
    assert reserved == sorted(reserved)
    dockerfile = (SERVICE / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:FROM |pip install .*)\b(\w+)(?::|==)", dockerfile)) == BUILDS
