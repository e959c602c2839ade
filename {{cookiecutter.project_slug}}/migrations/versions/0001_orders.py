"""Orders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table of orders and the index for paging."""
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.Text, unique=True),
        sa.CheckConstraint("quantity > 0", "orders_quantity_positive"),
        sa.CheckConstraint("status IN ('placed', 'fulfilled')", "orders_status_known"),
    )
    op.create_index("orders_newest_first", "orders", ["placed_at", "id"])


def downgrade() -> None:
    """Drop the table with all orders."""
    op.drop_table("orders")
