"""${message.capitalize()}.

An index on a table in use is built without blocking writes, and again if a build failed:

    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS orders_item")
        op.create_index("orders_item", "orders", ["item"], postgresql_concurrently=True)
"""

from alembic import op

revision = "${up_revision}"
down_revision = "${down_revision}"


def upgrade() -> None:
    """Change the schema; the previous release must work with it."""
    op.execute("SELECT 1")  # Replace this.


def downgrade() -> None:
    """Revert the change."""
    op.execute("SELECT 1")  # Replace this.
