"""Jobs."""

from importlib.resources import files

from alembic import op

revision = "0002"
down_revision = "0001"

NEWEST = "03.04.00_50"
"""Newest script that this migration applies; later scripts need another migration."""


def upgrade() -> None:
    """Create the tables of jobs with procrastinate's scripts."""
    scripts = (files("procrastinate") / "sql" / "migrations").iterdir()
    known = {s.name: s for s in scripts if s.name.endswith(".sql") and s.name[:11] <= NEWEST}
    cursor = op.get_bind().connection.cursor()
    for name in sorted(known):
        cursor.execute(known[name].read_text())


def downgrade() -> None:
    """Drop the tables, functions and types, with all jobs."""
    op.execute(
        "DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,"
        " procrastinate_workers CASCADE"
    )
    for object_type, query in (
        ("FUNCTION", "SELECT oid::regprocedure FROM pg_proc WHERE proname ^@ 'procrastinate_'"),
        ("TYPE", "SELECT oid::regtype FROM pg_type WHERE typname ^@ 'procrastinate_'"),
    ):
        for (name,) in op.get_bind().exec_driver_sql(query).fetchall():
            op.execute(f"DROP {object_type} {name} CASCADE")
