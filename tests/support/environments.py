"""Environments of rendered services: one a set of dependencies, made once."""

import hashlib
import json
import subprocess
import tomllib
from pathlib import Path

from tools.pythons import UV, outside


class Environments:
    """Makes environments below a folder; services of the same dependencies share one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, service: Path) -> dict[str, str]:
        """Return the variables by which a service's `make` finds its environment."""
        pyproject = tomllib.loads((service / "pyproject.toml").read_text(encoding="utf-8"))
        project = pyproject["project"]
        needs = json.dumps(
            [project["requires-python"], project["dependencies"], pyproject["dependency-groups"]]
        )
        name = hashlib.sha256(needs.encode()).hexdigest()[:8]
        return {
            "UV_PROJECT_ENVIRONMENT": str(self._folder / name),
            # What mypy knows of the dependencies is the same for all that share them.
            "MYPY_CACHE_DIR": str(self._folder / f"{name}-mypy"),
        }

    def packages(self, service: Path) -> str:
        """Return the folder of the packages that a service depends on, installed."""
        variables = self.of(service)
        subprocess.run(
            ["make", "--silent", f"UV={UV}", "setup"],
            cwd=service,
            env=outside() | variables,
            check=True,
            capture_output=True,
        )
        (folder,) = Path(variables["UV_PROJECT_ENVIRONMENT"]).glob("lib/python*/site-packages")
        return str(folder)
