"""The outbox: publishes every event to a broker, in order, as a CloudEvent."""

import json
from collections.abc import Sequence

from ..nats.broker import Broker
from ..postgres.connection import Connection
from .projections import Projection
from .store import StoredEvent


class Outbox(Projection):
    """Publishes events to a stream; what is published is the position of a projection.

    A message can be published although its position is not committed, after a crash for example.
    So each transaction begins after the last message of the stream.
    """

    name = "outbox"
    batch = 20

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._last = 0

    async def apply_all(self, connection: Connection, events: Sequence[StoredEvent]) -> None:
        published, self._last = await self._broker.last()
        ids = [message_id(each) for each in events]
        first = ids.index(published) + 1 if published in ids else 0
        await super().apply_all(connection, events[first:])

    def decode(self, stored: StoredEvent) -> dict[str, object]:
        """Return an event of any type, as it was stored, in the JSON format of CloudEvents 1.0."""
        return {
            "specversion": "1.0",
            "id": message_id(stored),
            "source": self._broker.stream,
            "type": stored.type,
            "typeversion": stored.type_version,
            "subject": stored.stream,
            "sequence": str(stored.version),
            "time": stored.appended_at.isoformat(),
            "datacontenttype": "application/json",
            **{name.replace("_", ""): value for name, value in stored.metadata.items()},
            "data": stored.data,
        }

    async def apply(self, _: Connection, event: object, stored: StoredEvent) -> None:
        message = json.dumps(event).encode()
        self._last = await self._broker.publish(
            stored.type, message_id(stored), message, self._last
        )

    async def clear(self, _: Connection) -> None:
        """See `Projection.clear`; consumers may have the messages already."""
        if (await self._broker.last())[1]:
            raise ValueError(f"the stream {self._broker.stream} is not new; delete it first")


def message_id(stored: StoredEvent) -> str:
    """Return an id that no other event has, even after the database was restored."""
    return f"{stored.position}-{stored.appended_at.timestamp():.6f}"
