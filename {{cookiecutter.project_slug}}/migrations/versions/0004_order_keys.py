"""Idempotency keys of orders."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of keys; the table of orders is a projection from now on."""
    op.execute("""
        CREATE TABLE order_keys (
            key text PRIMARY KEY,
            order_id uuid NOT NULL
        );
        CREATE INDEX order_keys_order ON order_keys (order_id);
    """)


def downgrade() -> None:
    """Drop the table of keys."""
    op.execute("DROP TABLE order_keys")
