"""Names that a service's package cannot have are those of the packages and folders beside it."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.support.template import DECLARED, SERVICE
from tools.pythons import UV, newest_python, outside

BUILDS = {"python", "uv"}
"""The image and the package that build a service's image: another of the same name hides them."""


def requirements() -> list[str]:
    """Return what services install beside themselves, whatever was chosen.

    What runs in an environment without the service, such as the group `delivery`, is left out.
    """
    text = (SERVICE / "pyproject.toml").read_text(encoding="utf-8")
    read = tomllib.loads("".join(line for line in text.splitlines(True) if "{%" not in line))
    groups = read["dependency-groups"]
    return [*read["project"]["dependencies"], *groups.pop("dev"), *groups.pop("chaos")]


def installed(folder: Path) -> set[str]:
    """Install all requirements below a folder; return the top-level names that can be imported."""
    (folder / ".python-version").write_text(newest_python() + "\n")
    for command in (["venv"], ["pip", "install", *requirements()]):
        subprocess.run([UV, "--quiet", *command], cwd=folder, env=outside(), check=True)
    (site,) = folder.glob(".venv/lib/python*/site-packages")
    found = importlib.metadata.distributions(path=[str(site)])
    return {file.parts[0].removesuffix(".py") for one in found for file in one.files or []}


def test_reserved_names_are_exactly_what_stands_beside_a_package(tmp_path: Path) -> None:
    names = installed(tmp_path) | {path.name for path in SERVICE.iterdir() if path.is_dir()}
    possible = {name for name in names if re.fullmatch("[a-z](_?[a-z0-9])*", name)}
    reserved = DECLARED["_reserved"]
    assert set(reserved) == possible - sys.stdlib_module_names | BUILDS
    assert reserved == sorted(reserved)
    dockerfile = (SERVICE / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:FROM |pip install .*)\b(\w+)(?::|==)", dockerfile)) == BUILDS
