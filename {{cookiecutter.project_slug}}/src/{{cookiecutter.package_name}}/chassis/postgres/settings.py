"""Settings of PostgreSQL."""

from typing import Annotated

from pydantic import AfterValidator, Field, Secret, UrlConstraints
from pydantic_core import MultiHostUrl

from ..config.settings import BaseServiceSettings


def _check_url(url: MultiHostUrl) -> MultiHostUrl:
    # Imported here, so that commands without configuration start without the driver.
    from psycopg import ProgrammingError, pq  # noqa: PLC0415
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} | {"ssl"}
    unknown = {name for name, _ in url.query_params()} - known
    if unknown and "@" not in str(url.query):  # Else the query is a part of the password.
        raise ValueError(f"unknown parameters of libpq: {', '.join(sorted(unknown))}")
    try:
        conninfo_to_dict(str(url))
    except ProgrammingError:  # The message may hold the password.
        raise ValueError("libpq cannot parse this URL: is it percent-encoded?") from None
    return url


PostgresUrl = Secret[
    Annotated[
        MultiHostUrl,
        UrlConstraints(allowed_schemes=["postgresql", "postgres"]),
        AfterValidator(_check_url),
    ]
]
"""Any URL that libpq accepts, a Unix socket or several hosts included."""


class PostgresSettings(BaseServiceSettings):
    """Variables of the connection pool."""

    database_url: PostgresUrl = Field(description="`postgresql://user:password@host:5432/name`.")
    database_pool_size: int = Field(default=10, ge=1, description="Most connections in the pool.")
