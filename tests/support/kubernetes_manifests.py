"""The rendered manifests of each variant, and tools that check them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.pythons import UV, outside

from .variants import DEFAULT, Answers, deciding, every, given, identity

Object = dict[str, Any]

DECIDED = [row for row in every(*deciding("deploy/")) if row["kubernetes"]]
HARD = [DEFAULT | {"kubernetes": True, "names": names} for names in ("shortest", "hardest")]
VARIANTS: dict[str, Answers] = {identity(row): given(row) for row in (*DECIDED, *HARD)}
"""All answers that change the manifests, and the shortest and longest names."""
FULL = max((identity(row) for row in DECIDED), key=lambda name: name.count("yes"))
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


def parse(text: str) -> list[Object]:
    return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


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
