"""II. Dependencies: declare all of them, and rely on nothing that the system happens to have."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from ..support.service import Service
from . import project
from .report import Measure

NOT_IMPORTED = {"httptools": "the HTTP parser of uvicorn, selected by name in `server.py`"}
"""Direct dependencies that no module imports."""
TRANSITIVE = {"pydantic-core": "a part of pydantic, which pins its exact version"}
"""Packages that are imported but not declared."""


def package_name(requirement: str) -> str:
    """Return the normalized name of the package in a requirement."""
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


def test_every_dependency_is_pinned_exactly() -> None:
    exact = re.compile(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+")
    requirements = project.declared()["dependencies"]
    assert requirements
    assert [each for each in requirements if not exact.fullmatch(each)] == []


def test_the_lock_has_a_hash_for_every_file(measure: Measure) -> None:
    (path,) = project.tracked("uv.lock")
    packages = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
    files = [
        file
        for package in packages
        for file in [*package.get("wheels", []), package.get("sdist")]
        if file
    ]
    measure("locked", len(packages), "packages", at_least=10)
    assert files
    assert [file for file in files if not re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"])] == []


def test_make_check_rejects_an_outdated_lock_and_the_image_installs_from_the_lock() -> None:
    assert "lock --check" in project.run_program("make", "--dry-run", "check")
    syncs = re.findall(r"uv sync[^&|;\n]*", project.read("Dockerfile"))
    assert syncs
    assert all("--locked" in sync or "--frozen" in sync for sync in syncs)


def test_imported_packages_and_declared_dependencies_are_the_same(measure: Measure) -> None:
    declared = {package_name(each) for each in project.declared()["dependencies"]}
    providers = {
        module: {package_name(name) for name in packages_distributions()[module]}
        for module in third_party_modules()
    }
    measure("imported", len(providers), "packages", at_least=1)
    covered = declared | TRANSITIVE.keys()
    assert {module for module, names in providers.items() if not names & covered} == set()
    assert declared - NOT_IMPORTED.keys() - set().union(*providers.values()) == set()


def third_party_modules() -> set[str]:
    """Return the top-level modules of other packages that the service imports."""
    modules = set()
    for folder in ("src", "migrations"):
        for _, tree in project.syntax_trees(folder):
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    modules |= {name.name for name in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    modules.add(node.module or "")
    own = {path.name for path in (project.ROOT / "src").iterdir()}
    return {module.partition(".")[0] for module in modules} - own - sys.stdlib_module_names


def test_the_service_needs_no_program_from_path(environment: dict[str, str]) -> None:
    with Service(environment | {"PATH": "/nonexistent"}) as service:
        for path in ("/livez", "/readyz", "/version"):
            assert service.get(path).status_code == 200


def test_the_image_contains_the_dependencies_and_no_development_tools(
    image: str, measure: Measure
) -> None:
    code = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    run = ["run", "--rm", "--entrypoint", "python", image, "-c", code]
    installed = {package_name(name) for name in project.docker(*run).split()}
    measure("in the image", len(installed), "packages", at_least=1)
    assert installed >= {package_name(each) for each in project.declared()["dependencies"]}
    assert not installed & {"mypy", "pytest", "ruff", "pre-commit", "watchfiles"}
