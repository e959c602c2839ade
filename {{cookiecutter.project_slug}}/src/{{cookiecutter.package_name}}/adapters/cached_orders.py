"""Orders behind a cache: one that was read a moment ago is not read from the store again."""

from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import cast
from uuid import UUID

import msgspec
from prometheus_client import Counter

from ..domain.errors import Unavailable
from ..domain.orders import Order, Orders, Position
from ..settings import Settings
from .redis import Redis

LEASE_SECONDS = 10
"""Longer than a store takes to answer."""
FORMAT = sha256(msgspec.json.encode(msgspec.json.schema(Order))).hexdigest()[:8].encode() + b" "
"""What an entry begins with: the shape of an order. Of another release's shape, it is no entry."""

FILL = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
"""

_decode = msgspec.json.Decoder(Order).decode
_lookups = Counter("order_cache_lookups", "Orders looked for in the cache.", ["result"])


class CachedOrders:
    """The domain's `Orders`: another store, and Redis in front of its `get`.

    Who finds no entry leaves a lease in its place before reading the store, and fills the place
    only while that lease is there. A change deletes what is there, entry or lease: what was read
    before a change never enters the cache after it. An entry outlives a change only where Redis
    could not be told of it, and then for `order_cache_seconds` at most.
    """

    def __init__(self, orders: Orders, redis: Redis, settings: Settings) -> None:
        self._orders = orders
        self._redis = redis
        self._fill = redis.client.register_script(FILL)
        self._prefix = f"{settings.otel_service_name}:order:"
        self._seconds = settings.order_cache_seconds

    async def get(self, order_id: UUID) -> Order | None:
        """See `Orders.get`."""
        key, lease = f"{self._prefix}{order_id}", f"?{token_hex(8)}".encode()
        try:
            # One command asks, and leaves the lease where there is nothing.
            answer = await self._redis.ask(
                self._redis.client.set, key, lease, nx=True, get=True, ex=LEASE_SECONDS
            )
        except Unavailable:
            _lookups.labels("unavailable").inc()
            return await self._orders.get(order_id)
        found = cast(bytes | None, answer)
        if found is not None and found.startswith(FORMAT):
            with suppress(msgspec.DecodeError):
                cached = _decode(found.removeprefix(FORMAT))
                _lookups.labels("hit").inc()
                return cached
        _lookups.labels("miss").inc()
        order = await self._orders.get(order_id)
        if order:
            # Another's lease, or what cannot be read, serves as well: a change deletes it.
            seen = lease if found is None else found
            entry = FORMAT + msgspec.json.encode(order)
            with suppress(Unavailable):
                await self._redis.ask(self._fill, [key], [seen, entry, self._seconds])
        return order

    async def forget(self, order_id: UUID) -> None:
        """Drop the entry of an order that has changed; always tried, as it is for the truth."""
        with suppress(Unavailable):
            await self._redis.insist(self._redis.client.delete, f"{self._prefix}{order_id}")

    async def add(self, order: Order, key: str | None) -> Order:
        """See `Orders.add`."""
        return await self._orders.add(order, key)

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        """See `Orders.page`."""
        return await self._orders.page(limit, after)

    async def delete(self, order_id: UUID) -> bool:
        """See `Orders.delete`."""
        try:
            return await self._orders.delete(order_id)
        finally:
            # A store that failed to answer may have deleted it all the same.
            await self.forget(order_id)

    async def delete_before(self, moment: datetime) -> int:
        """See `Orders.delete_before`; entries of orders so old end by themselves, in time."""
        return await self._orders.delete_before(moment)
