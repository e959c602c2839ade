"""Makes `.env`, once: settings for development, and fresh secrets where Compose asks for some."""

import os
import re
from pathlib import Path
from secrets import token_urlsafe

ROOT = Path(__file__).parents[1]

HEAD = """\
# Settings of this machine, read by make and Compose, never by the service itself; not for git.
# Every variable that there is: .env.example
HOST=127.0.0.1
LOG_FORMAT=console
DRAIN_SECONDS=0
"""


def asked_for(compose: str) -> set[str]:
    """Return the secrets that a Compose file interpolates, such as `${DATABASE_PASSWORD}`."""
    return set(re.findall(r"\$\{(\w+_(?:PASSWORD|SECRET|KEY|TOKEN))\b", compose))


def main(root: Path = ROOT) -> None:
    """Write `.env` for its owner alone; leave one that is there as it is."""
    names = sorted(set().union(*(asked_for(p.read_text()) for p in root.glob("compose/*.yaml"))))
    try:
        # Never readable for others, not even for a moment, and never in place of an older one.
        handle = os.open(root / ".env", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(HEAD + "".join(f"{name}={token_urlsafe(32)}\n" for name in names))


if __name__ == "__main__":
    main()
