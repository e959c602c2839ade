"""${message.capitalize()}."""

import sqlalchemy as sa
from alembic import op

revision = "${up_revision}"
down_revision = "${down_revision}"


# An index on a table in use is built without blocking writes, and again if a build failed:
#
#     with op.get_context().autocommit_block():
#         op.execute("DROP INDEX CONCURRENTLY IF EXISTS orders_item")
#         op.create_index("orders_item", "orders", ["item"], postgresql_concurrently=True)


def upgrade() -> None:
    """Change the schema; the previous release must work with it."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Revert the change."""
    ${downgrades if downgrades else "pass"}
