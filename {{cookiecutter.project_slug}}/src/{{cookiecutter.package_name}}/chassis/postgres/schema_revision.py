"""The schema revision that this release needs: the number of its newest migration."""

from pathlib import Path

MIGRATIONS = Path(__file__).parents[4] / "migrations"
MIGRATION_LOCK = int.from_bytes(b"migrate")
"""Key of the advisory lock that a running migration holds."""


def newest_revision() -> str:
    """Return the number of the newest migration, such as `0001`; numbers sort as text."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
