"""Cache of orders in Redis, in front of another store."""

from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import cast
from uuid import UUID

import msgspec
from prometheus_client import Counter

from ..chassis.errors import Unavailable
from ..chassis.redis.client import Redis
from .model import Order, OrderStore, Position
from .settings import OrderSettings

LEASE_SECONDS = 10
"""Lifetime of a lease; longer than any read of the store takes."""
FORMAT = sha256(msgspec.json.encode(msgspec.json.schema(Order))).hexdigest()[:8].encode() + b" "
"""Prefix of an entry: a hash of the fields of `Order`. An entry with another one is a miss."""

FILL = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
"""

_decode = msgspec.json.Decoder(Order).decode
_lookups = Counter("order_cache_lookups", "Orders looked for in the cache.", ["result"])


class CachedOrderStore:
    """`OrderStore` that caches `get`.

    A miss stores a lease under the key before it reads the store, and the order only while that
    lease is there. A change deletes the key, entry or lease: an order that was read before a change
    is never cached after it. If Redis is unavailable during a change, an old entry stays until it
    expires, after at most `ORDER_CACHE_SECONDS`.
    """

    def __init__(self, orders: OrderStore, redis: Redis, settings: OrderSettings) -> None:
        self._orders = orders
        self._redis = redis
        self._fill = redis.client.register_script(FILL)
        self._prefix = f"{settings.otel_service_name}:order:"
        self._seconds = settings.order_cache_seconds

    async def get(self, order_id: UUID) -> Order | None:
        key, lease = f"{self._prefix}{order_id}", f"?{token_hex(8)}".encode()
        try:
            # Returns the entry, or stores the lease if there is none.
            found = cast(
                bytes | None,
                await self._redis.call(
                    self._redis.client.set, key, lease, nx=True, get=True, ex=LEASE_SECONDS
                ),
            )
        except Unavailable:
            _lookups.labels("unavailable").inc()
            return await self._orders.get(order_id)
        if found is not None and found.startswith(FORMAT):
            with suppress(msgspec.DecodeError):
                cached = _decode(found.removeprefix(FORMAT))
                _lookups.labels("hit").inc()
                return cached
        _lookups.labels("miss").inc()
        order = await self._orders.get(order_id)
        if order:
            # The lease of another reader, or an invalid entry, works as well: a change deletes it.
            expected = lease if found is None else found
            entry = FORMAT + msgspec.json.encode(order)
            with suppress(Unavailable):
                await self._redis.call(self._fill, [key], [expected, entry, self._seconds])
        return order

    async def invalidate(self, order_id: UUID) -> None:
        """Delete the entry of a changed order; tried even during an outage."""
        with suppress(Unavailable):
            await self._redis.call_always(self._redis.client.delete, f"{self._prefix}{order_id}")

    async def add(self, order: Order, key: str | None) -> Order:
        return await self._orders.add(order, key)

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        return await self._orders.page(limit, after)

    async def delete(self, order_id: UUID) -> bool:
        try:
            return await self._orders.delete(order_id)
        finally:
            # The order may be deleted although the store raised an error.
            await self.invalidate(order_id)

    async def delete_before(self, moment: datetime) -> int:
        """See `OrderStore.delete_before`; entries are left to expire."""
        return await self._orders.delete_before(moment)
{% if cookiecutter.worker %}

    async def replace(self, old: Order, new: Order) -> bool:
        try:
            return await self._orders.replace(old, new)
        finally:
            await self.invalidate(old.id)
{% endif %}
