"""Settings of PostgreSQL."""

from typing import Annotated

from pydantic import Field, Secret, UrlConstraints
from pydantic_core import MultiHostUrl

from ..config.settings import BaseServiceSettings

PostgresUrl = Secret[
    Annotated[MultiHostUrl, UrlConstraints(allowed_schemes=["postgresql", "postgres"])]
]
"""Any URL that libpq accepts, a Unix socket or several hosts included."""


class PostgresSettings(BaseServiceSettings):
    """Variables of the connection pool."""

    database_url: PostgresUrl = Field(description="`postgresql://user:password@host:5432/name`.")
    database_pool_size: int = Field(default=10, ge=1, description="Most connections in the pool.")
