"""Events and the positions of projections."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables, and the triggers that keep events in order and unchanged."""
    op.execute("""
        CREATE TABLE events (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream text NOT NULL CHECK (length(stream) BETWEEN 1 AND 200),
            version integer NOT NULL CHECK (version > 0),
            type text NOT NULL,
            type_version integer NOT NULL CHECK (type_version > 0),
            data jsonb NOT NULL,
            metadata jsonb NOT NULL,
            appended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            UNIQUE (stream, version)
        );
        CREATE TABLE projections (
            name text PRIMARY KEY,
            position bigint NOT NULL DEFAULT 0
        );
        -- Positions are assigned after the lock: they are committed in their order.
        CREATE FUNCTION events_lock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('events'));
            RETURN NULL;
        END $$;
        CREATE FUNCTION events_notify() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            NOTIFY events;
            RETURN NULL;
        END $$;
        CREATE FUNCTION events_unchangeable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE 'events cannot be changed or deleted';
        END $$;
        CREATE TRIGGER events_lock BEFORE INSERT ON events EXECUTE FUNCTION events_lock();
        CREATE TRIGGER events_notify AFTER INSERT ON events EXECUTE FUNCTION events_notify();
        CREATE TRIGGER events_unchangeable BEFORE UPDATE OR DELETE OR TRUNCATE ON events
            EXECUTE FUNCTION events_unchangeable();
    """)


def downgrade() -> None:
    """Drop the tables with all events."""
    op.execute("""
        DROP TABLE projections, events;
        DROP FUNCTION events_lock, events_notify, events_unchangeable;
    """)
