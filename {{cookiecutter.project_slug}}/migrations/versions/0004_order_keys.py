"""Orders from events: those of existing orders, and a table of idempotency keys."""

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
        INSERT INTO order_keys (key, order_id)
        SELECT idempotency_key, id FROM orders WHERE idempotency_key IS NOT NULL;
        INSERT INTO events (stream, version, type, type_version, data, metadata)
        SELECT 'order-' || id, 1, 'OrderPlaced', 1, jsonb_build_object(
            'item', item, 'quantity', quantity, 'placed_at', placed_at
        ), '{}' FROM orders ORDER BY placed_at, id;
        INSERT INTO events (stream, version, type, type_version, data, metadata)
        SELECT 'order-' || id, 2, 'OrderFulfilled', 1, '{}', '{}'
        FROM orders WHERE status = 'fulfilled' ORDER BY placed_at, id;
        INSERT INTO projections (name, position)
        SELECT 'order_list', coalesce(max(position), 0) FROM events;
    """)


def downgrade() -> None:
    """Drop the table of keys."""
    op.execute("DROP TABLE order_keys")
