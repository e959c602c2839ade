"""Jobs."""

from importlib.resources import files

from alembic import op

revision = "0002"
down_revision = "0001"

NEWEST = "03.04.00_50"
"""The newest of procrastinate's scripts that this migration applies; later ones need another."""


def upgrade() -> None:
    """Create the tables of jobs, by procrastinate's own scripts."""
    scripts = (files("procrastinate") / "sql" / "migrations").iterdir()
    known = {s.name: s for s in scripts if s.name.endswith(".sql") and s.name[:11] <= NEWEST}
    cursor = op.get_bind().connection.cursor()
    for name in sorted(known):
        cursor.execute(known[name].read_text())


def downgrade() -> None:
    """Drop them, and every job with them."""
    op.execute(
        "DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,"
        " procrastinate_workers CASCADE"
    )
    for kind, found in (
        ("FUNCTION", "SELECT oid::regprocedure FROM pg_proc WHERE proname ^@ 'procrastinate_'"),
        ("TYPE", "SELECT oid::regtype FROM pg_type WHERE typname ^@ 'procrastinate_'"),
    ):
        for (name,) in op.get_bind().exec_driver_sql(found).fetchall():
            op.execute(f"DROP {kind} {name} CASCADE")
