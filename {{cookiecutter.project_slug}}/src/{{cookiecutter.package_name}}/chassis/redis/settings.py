"""Settings of Redis."""

import re
from typing import Annotated

from pydantic import AfterValidator, AnyUrl, Field, Secret, UrlConstraints

from ..config.settings import BaseServiceSettings

OPTIONS = re.compile(r"db|username|password|ssl_\w+")
"""Allowed URL options: those of the address, not those of the client's behaviour."""


def _check_url(url: AnyUrl) -> AnyUrl:
    # Imported here, so that commands without configuration start without the client.
    from redis.asyncio import ConnectionPool, RedisError  # noqa: PLC0415

    try:
        # Creating a connection validates its options, and its TLS files; nothing is sent.
        pool = ConnectionPool.from_url(str(url))
        connection = pool.connection_class(**pool.connection_kwargs)
        if tls := getattr(connection, "ssl_context", None):
            tls.get()
        # The client ignores a path that is not a number, such as that of `user:1/2@host`.
        valid = all(OPTIONS.fullmatch(name) for name, _ in url.query_params()) and (
            url.scheme == "unix" or re.fullmatch(r"(/\d*)?", url.path or "")
        )
    except (RedisError, OSError, TypeError, ValueError):
        valid = False
    if not valid or url.fragment is not None:
        raise ValueError("the path or an option of this URL is not valid, or not percent-encoded")
    return url


RedisUrl = Secret[
    Annotated[
        AnyUrl,
        UrlConstraints(allowed_schemes=["redis", "rediss", "unix"]),
        AfterValidator(_check_url),
    ]
]
"""Any URL that redis-py accepts, a Unix socket included."""


class RedisSettings(BaseServiceSettings):
    """Variables of the cache and the rate limit."""

    redis_url: RedisUrl = Field(description="`redis://:password@host:6379/0`.")
    rate_limit_per_minute: int = Field(
        default=6000, ge=1, description="Requests per minute from one IPv4 address or IPv6 /64."
    )
