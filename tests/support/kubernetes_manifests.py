"""The rendered manifests of each variant, and tools that check them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.pythons import UV, outside

from .variants import DEFAULT, Answers, combinations, deciding, given, identity

Object = dict[str, Any]

# CI adds scripts, but no manifests.
OPTIONS = [option for option in deciding("deploy/") if option not in {"ci", "kubernetes"}]
DECIDED = [row | {"kubernetes": True} for row in combinations(*OPTIONS)]
HARD = [DEFAULT | {"kubernetes": True, "names": names} for names in ("shortest", "hardest")]
VARIANTS: dict[str, Answers] = {identity(row): given(row) for row in (*DECIDED, *HARD)}
"""Answers that change the manifests, in pairs, and the shortest and longest names."""
FULL = identity(DECIDED[2])
OVERLAYS = ("local", "production", "staging")
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def slug(variant: str) -> str:
    return str(VARIANTS[variant].get("project_slug", "order-service"))


def kustomize(folder: Path) -> str:
    """Return the rendered kustomization, or fail with its error message."""
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def released(service: Path, overlay: str, name: str) -> str:
    """Return an overlay with a release."""
    folder = service / ".reports" / overlay
    folder.mkdir(parents=True, exist_ok=True)
    image = {"name": name, "newName": f"registry.example.com/team/{name}", "digest": DIGEST}
    path = os.path.relpath(service / "deploy" / "overlays" / overlay, folder)
    kustomization = {"resources": [path], "images": [image]}
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
    return kustomize(folder)


def components(service: Path, overlays: dict[str, str]) -> dict[str, str]:
    """Return each component, rendered in an overlay that does not use it, by name."""
    found = {}
    for component in sorted((service / "deploy" / "components").iterdir()):
        folder = service / ".reports" / component.name
        folder.mkdir()
        use = f"components/{component.name}\n"
        overlay = next(
            service / ".reports" / name
            for name in overlays
            if use not in (service / "deploy/overlays" / name / "kustomization.yaml").read_text()
        )
        parts = {"resources": overlay, "components": component}
        kustomization = {key: [os.path.relpath(path, folder)] for key, path in parts.items()}
        (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
        found[component.name] = kustomize(folder)
    return found


def parse(text: str) -> list[Object]:
    return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def findings(python: str, service: Path, asked: list[Any]) -> list[dict[str, list[str]]]:
    """Run `manifest_checks` with the Python of a service, and return the findings by check."""
    done = subprocess.run(
        [python, "-m", "manifest_checks"],
        cwd=service,
        env=outside() | {"PYTHONPATH": str(Path(__file__).parent), "PYTHONSAFEPATH": "1"},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, list[str]]] = json.loads(done.stdout)
    return found


def tool(package: str, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of a pinned Python package in a separate environment."""
    return subprocess.run(
        [UV, "tool", "run", "--quiet", "--from", package, *command],
        cwd=cwd,
        env=outside() | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
