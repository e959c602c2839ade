"""Settings of Redis."""

import re
from typing import Annotated

from pydantic import AfterValidator, AnyUrl, Field, Secret, UrlConstraints

from ..config.settings import BaseServiceSettings

OPTIONS = re.compile(r"db|username|password|ssl_\w+")
"""What may follow a `?`: all that says where the server is, and nothing of how we talk to it."""


def _usable(url: AnyUrl) -> AnyUrl:
    # Commands that read no such URL start without the client.
    from redis.asyncio import ConnectionPool, RedisError  # noqa: PLC0415

    try:
        # Nothing is connected yet; a value that makes no connection is found all the same.
        pool = ConnectionPool.from_url(str(url))
        pool.connection_class(**pool.connection_kwargs)
        usable = all(OPTIONS.fullmatch(name) for name, _ in url.query_params())
    except (RedisError, TypeError, ValueError):
        usable = False
    if not usable:
        raise ValueError("an option of this URL cannot be used")
    return url


RedisUrl = Secret[
    Annotated[
        AnyUrl,
        UrlConstraints(allowed_schemes=["redis", "rediss", "unix"]),
        AfterValidator(_usable),
    ]
]
"""Any URL that redis-py accepts, a Unix socket included."""


class RedisSettings(BaseServiceSettings):
    """Variables of the cache and the rate limit."""

    redis_url: RedisUrl = Field(description="`redis://:password@host:6379/0`.")
    rate_limit_per_minute: int = Field(
        default=6000, ge=1, description="Requests per minute from one client address; then 429."
    )
