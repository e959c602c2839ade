"""Virtual environments of rendered services, shared by services with equal dependencies."""

import hashlib
import json
import tomllib
from pathlib import Path

from tools.pythons import UV

from .commands import must_run


class Environments:
    """The virtual environments below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, service: Path) -> dict[str, str]:
        """Return the variables that select the environment of a service in its `make`."""
        pyproject = tomllib.loads((service / "pyproject.toml").read_text(encoding="utf-8"))
        project = pyproject["project"]
        needs = json.dumps(
            [project["requires-python"], project["dependencies"], pyproject["dependency-groups"]]
        )
        name = hashlib.sha256(needs.encode()).hexdigest()[:8]
        return {
            "UV_PROJECT_ENVIRONMENT": str(self._folder / name),
            # The cache holds the types of the dependencies, which these services share.
            "MYPY_CACHE_DIR": str(self._folder / f"{name}-mypy"),
        }

    def packages(self, service: Path) -> str:
        """Install the dependencies of a service and return their folder."""
        (folder,) = self._installed(service).glob("lib/python*/site-packages")
        return str(folder)

    def python(self, service: Path) -> str:
        """Install a service and return the path of its Python."""
        return str(self._installed(service) / "bin" / "python")

    def _installed(self, service: Path) -> Path:
        variables = self.of(service)
        must_run("make", "--silent", f"UV={UV}", "setup", cwd=service, **variables)
        return Path(variables["UV_PROJECT_ENVIRONMENT"])
