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


class CachedOrderStore:
    """`OrderStore` that caches `get`.

    A miss leaves a lease in the place of the entry before it reads the store, and fills the place
    only while that lease is there. A change deletes entry or lease, so that no order that was read
    before a change enters the cache after it. An entry outlives a change only if Redis was
    unavailable, and then for `seconds` at most.
    """

    def __init__(self, orders: OrderStore, redis: Redis, *, prefix: str, seconds: int) -> None:
        self._orders = orders
        self._redis = redis
        self._fill = redis.client.register_script(FILL)
        self._prefix = prefix
        self._seconds = seconds

    async def get(self, order_id: UUID) -> Order | None:
        """See `OrderStore.get`."""
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
        """See `OrderStore.add`."""
        return await self._orders.add(order, key)

    async def page(self, limit: int, after: Position | None) -> list[Order]:
        """See `OrderStore.page`."""
        return await self._orders.page(limit, after)

    async def delete(self, order_id: UUID) -> bool:
        """See `OrderStore.delete`."""
        try:
            return await self._orders.delete(order_id)
        finally:
            # A store that failed to answer may have deleted it all the same.
            await self.forget(order_id)

    async def delete_before(self, moment: datetime) -> int:
        """See `OrderStore.delete_before`; entries of orders so old end by themselves, in time."""
        return await self._orders.delete_before(moment)
{% if cookiecutter.worker %}

    async def replace(self, old: Order, new: Order) -> bool:
        """See `OrderStore.replace`."""
        try:
            return await self._orders.replace(old, new)
        finally:
            await self.forget(old.id)
{% endif %}
