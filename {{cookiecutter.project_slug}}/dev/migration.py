"""Begins a migration with the next number: `uv run python -m dev.migration "what changes"`."""

import sys

from alembic import command
from alembic.config import Config

from {{ cookiecutter.package_name }}.chassis.postgres.database import MIGRATIONS, newest_revision


def main(message: str) -> None:
    """Write a file for the migration that follows the newest, to be filled in."""
    config = Config(MIGRATIONS / "alembic.ini")
    command.revision(config, message, rev_id=f"{int(newest_revision()) + 1:04d}")


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit('usage: uv run python -m dev.migration "what changes"')
    main(sys.argv[1])
