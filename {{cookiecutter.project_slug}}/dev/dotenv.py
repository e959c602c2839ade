"""Create `.env`: settings for development, and random secrets for Compose."""

import os
import re
from pathlib import Path
from secrets import token_hex, token_urlsafe

ROOT = Path(__file__).parents[1]

HEAD = """\
# Settings of this machine, read by make and Compose, not by the service. Do not commit.
# All variables: .env.example
HOST=127.0.0.1
LOG_FORMAT=console
DRAIN_SECONDS=0
# Long enough for a debugger.
REQUEST_SECONDS=3600
# Containers and volumes of this checkout, apart from those of others.
"""


def secret_names(compose: str) -> set[str]:
    """Return the secrets that a Compose file interpolates, such as `${DATABASE_PASSWORD}`."""
    return set(re.findall(r"\$\{(\w+_(?:PASSWORD|SECRET|KEY|TOKEN))\b", compose))


def main(root: Path = ROOT) -> None:
    """Create `.env`, readable by its owner only; an existing file is kept."""
    names = sorted(set().union(*(secret_names(p.read_text()) for p in root.glob("compose/*.yaml"))))
    try:
        # O_EXCL keeps an existing file; the mode applies before anything is written.
        handle = os.open(root / ".env", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(f"{HEAD}COMPOSE_PROJECT_NAME={{ cookiecutter.project_slug }}-{token_hex(4)}\n")
        file.write("".join(f"{name}={token_urlsafe(32)}\n" for name in names))


if __name__ == "__main__":
    main()
