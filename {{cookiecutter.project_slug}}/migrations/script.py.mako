"""${message.capitalize()}.

An index on a table in use is built without blocking writes, and again if a build failed:

    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS things_name")
        op.create_index("things_name", "things", ["name"], postgresql_concurrently=True)
"""

from alembic import op

revision = "${up_revision}"
down_revision = ${f'"{down_revision}"' if down_revision else None}


def upgrade() -> None:
    """Change the schema; the previous release must work with it."""
    op.execute("SELECT 1")  # Replace this.


def downgrade() -> None:
    """Revert the change."""
    op.execute("SELECT 1")  # Replace this.
