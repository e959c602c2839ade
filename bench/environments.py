"""What the processes that are run find in their environment, and what they are spared."""

import os
from pathlib import Path

from tools.pythons import outside

OF_THE_CALLER = ("PYTHON", "UV_PROJECT_ENVIRONMENT")
OF_THE_MACHINE = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")


def for_tools(temporary: Path) -> dict[str, str]:
    """Return the environment, less what concerns only the caller's own make and Python."""
    kept = {name: value for name, value in outside().items() if not name.startswith(OF_THE_CALLER)}
    return {**kept, "TMPDIR": str(temporary)}  # Some leave files there.


def for_servers(**settings: object) -> dict[str, str]:
    """Return `settings` as the only settings, with bytecode never written, as in the image."""
    kept = {name: os.environ[name] for name in OF_THE_MACHINE if name in os.environ}
    named = {name.upper(): str(value) for name, value in settings.items()}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **named}
