"""The Python to render for, and an environment for commands of a rendered service."""

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = os.environ.get("UV", "uv")
TOOL_VARIABLES = {
    *("MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
    *("PYENV_DIR", "PYENV_VERSION", "PYTHONDONTWRITEBYTECODE", "UV", "VIRTUAL_ENV"),
}
"""Variables set by the make, Python and virtual environment that run the template's tools."""


def outside() -> dict[str, str]:
    """Return the environment variables without those of the template's tools."""
    return {name: value for name, value in os.environ.items() if name not in TOOL_VARIABLES}


@cache
def newest_python() -> str:
    """Return the newest supported version that uv finds, otherwise the default."""
    supported: list[str] = json.loads((ROOT / "cookiecutter.json").read_text())["python_version"]
    return next(filter(is_installed, supported), supported[0])


def is_installed(version: str) -> bool:
    """Return whether uv finds this Python without a download, as it would in a render."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, ".python-version").write_text(f"{version}\n")
        command = [UV, "python", "find", "--no-python-downloads", version]
        done = subprocess.run(command, cwd=folder, env=outside(), capture_output=True, check=False)
    return done.returncode == 0
