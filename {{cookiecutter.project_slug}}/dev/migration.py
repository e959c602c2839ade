"""Create the next migration, `uv run python -m dev.migration "add a column"`, or check all."""

import runpy
import sys

from alembic import command
from alembic.config import Config

from {{ cookiecutter.package_name }}.chassis.postgres.database import MIGRATIONS, newest_revision


def main(message: str) -> None:
    """Create an empty migration whose number follows the newest."""
    config = Config(MIGRATIONS / "alembic.ini")
    command.revision(config, message, rev_id=f"{int(newest_revision() or 0) + 1:04d}")


def check() -> None:
    """Exit with a message unless each migration has its own number and follows the one before."""
    previous = None
    for path in sorted((MIGRATIONS / "versions").glob("*.py")):
        migration = runpy.run_path(str(path))
        number = path.name.partition("_")[0]
        if (migration["revision"], migration["down_revision"]) != (number, previous):
            sys.exit(
                f"migrations/versions/{path.name} does not follow {previous}: change the number in"
                f" its name and `revision`, and set down_revision = {previous!r}"
            )
        previous = number


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit("usage: uv run python -m dev.migration MESSAGE|--check")
    check() if sys.argv[1] == "--check" else main(sys.argv[1])
