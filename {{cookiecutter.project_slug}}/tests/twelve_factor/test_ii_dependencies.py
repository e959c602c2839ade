"""II. Dependencies: all of them declared, none of them taken from the surroundings."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

from ..support.service import Service
from .project import ROOT, docker, program, syntax_trees, tracked
from .report import Measure

BY_NAME = {"httptools": "uvicorn's parser, which `server.py` names"}
"""What is needed without an import of ours."""
PARTS = {"pydantic-core": "the other half of pydantic, which pins it exactly"}
"""What comes with something that is declared, in the version that belongs to it."""


def project() -> dict[str, Any]:
    """Return what `pyproject.toml` declares."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared: dict[str, Any] = tomllib.loads(text)["project"]
    return declared


def lock() -> list[dict[str, Any]]:
    """Return the packages of `uv.lock`."""
    (path,) = tracked("uv.lock")
    packages: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
    return packages


def name_of(requirement: str) -> str:
    """Return the name at the start of a requirement, as distributions spell it."""
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


def test_every_dependency_is_pinned_exactly() -> None:
    exact = re.compile(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+")
    declared = project()["dependencies"]
    assert declared
    assert [each for each in declared if not exact.fullmatch(each)] == []


def test_the_lock_knows_every_file_by_its_hash(measure: Measure) -> None:
    files = [
        file
        for package in lock()
        for file in [*package.get("wheels", []), package.get("sdist")]
        if file
    ]
    measure("locked", len(lock()), "packages", at_least=10)
    assert files
    assert [file for file in files if not re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"])] == []


def test_the_checks_refuse_a_stale_lock_and_the_image_installs_from_it() -> None:
    assert "lock --check" in program("make", "--dry-run", "check")
    syncs = re.findall(r"uv sync[^&|;\n]*", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert syncs
    assert all("--locked" in sync or "--frozen" in sync for sync in syncs)


def test_what_is_imported_is_declared_and_what_is_declared_is_imported(measure: Measure) -> None:
    declared = {name_of(requirement) for requirement in project()["dependencies"]}
    providers = {
        module: {name_of(name) for name in packages_distributions()[module]}
        for module in _imported_modules()
    }
    measure("imported", len(providers), "packages", at_least=1)
    covered = declared | PARTS.keys()
    assert {module for module, names in providers.items() if not names & covered} == set()
    assert declared - BY_NAME.keys() - set().union(*providers.values()) == set()


def _imported_modules() -> set[str]:
    modules = set()
    for folder in (ROOT / "src", ROOT / "migrations"):
        for _, tree in syntax_trees(folder):
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    modules |= {name.name for name in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    modules.add(node.module or "")
    ours = {path.name for path in (ROOT / "src").iterdir()}
    return {module.partition(".")[0] for module in modules} - ours - sys.stdlib_module_names


def test_it_serves_where_there_is_no_other_program(environment: dict[str, str]) -> None:
    with Service(environment | {"PATH": "/nonexistent"}) as service:
        for path in ("/livez", "/readyz", "/version"):
            assert service.get(path).status_code == 200


def test_the_image_holds_what_is_declared_and_no_tools(image: str, measure: Measure) -> None:
    code = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    run = ["run", "--rm", "--entrypoint", "python", image, "-c", code]
    held = {name_of(name) for name in docker(*run).split()} - {"pip", name_of(project()["name"])}
    measure("image", len(held), "distributions", at_least=1)
    assert held >= {name_of(requirement) for requirement in project()["dependencies"]}
    assert not held & {"mypy", "pytest", "ruff", "pre-commit", "watchfiles"}
