"""The shape of `REDIS_URL`: what redis-py accepts, a Unix socket included."""

import re
from typing import Annotated

from pydantic import AfterValidator, AnyUrl, Secret, UrlConstraints

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
