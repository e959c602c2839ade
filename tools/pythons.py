"""Finds the Python to render for, and the environment in which a rendered service is at home."""

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = os.environ.get("UV", "uv")
OUR_OWN = {
    *("MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
    *("PYENV_DIR", "PYENV_VERSION", "PYTHONDONTWRITEBYTECODE", "UV", "VIRTUAL_ENV"),
}
"""Variables that speak of the make, the Python and the environment of the template's own tools."""


def outside() -> dict[str, str]:
    """Return the environment as it is outside of the template's own tools."""
    return {name: value for name, value in os.environ.items() if name not in OUR_OWN}


@cache
def newest_python() -> str:
    """Return the newest supported version that uv finds; if it finds none, the default."""
    supported: list[str] = json.loads((ROOT / "cookiecutter.json").read_text())["python_version"]
    return next(filter(is_at_hand, supported), supported[0])


def is_at_hand(version: str) -> bool:
    """Tell whether uv finds this Python without a download, asked as a rendered service asks."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, ".python-version").write_text(f"{version}\n")
        command = [UV, "python", "find", "--no-python-downloads", version]
        done = subprocess.run(command, cwd=folder, env=outside(), capture_output=True, check=False)
    return done.returncode == 0
