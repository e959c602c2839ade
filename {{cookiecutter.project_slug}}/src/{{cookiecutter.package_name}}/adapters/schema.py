"""The schema that this release needs: the newest of its migrations, which are numbered."""

from pathlib import Path

MIGRATIONS = Path(__file__).parents[3] / "migrations"
MIGRATION_LOCK = int.from_bytes(b"migrate")
"""Key of the advisory lock that whoever migrates holds."""


def newest_revision() -> str:
    """Return the number of the newest migration, such as `0001`; numbers sort as text."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
