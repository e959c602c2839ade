"""Create the next migration: `uv run python -m dev.migration "add a column"`."""

import sys

from alembic import command
from alembic.config import Config

from {{ cookiecutter.package_name }}.chassis.postgres.database import MIGRATIONS, newest_revision


def main(message: str) -> None:
    """Create an empty migration whose number follows the newest."""
    config = Config(MIGRATIONS / "alembic.ini")
    command.revision(config, message, rev_id=f"{int(newest_revision()) + 1:04d}")


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit("usage: uv run python -m dev.migration MESSAGE")
    main(sys.argv[1])
