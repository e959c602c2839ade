"""Settings of MongoDB."""

import warnings
from typing import Annotated

from pydantic import AfterValidator, Field, Secret
from pydantic_core import PydanticCustomError

from ..config.settings import BaseServiceSettings

EXAMPLE = "mongodb://user:password@host:27017/name"


def _check_url(url: str) -> str:
    """Return the URL if the client accepts it; sends nothing, not even a DNS query."""
    from pymongo import AsyncMongoClient  # noqa: PLC0415  # Not all commands need it.
    from pymongo.errors import ConfigurationError  # noqa: PLC0415

    if not url.startswith(("mongodb://", "mongodb+srv://")):
        raise PydanticCustomError("mongodb_url", f"URL scheme should be that of {EXAMPLE}")
    try:
        # The client only warns of an unknown option, and the warning holds its value.
        with warnings.catch_warnings(action="error", category=UserWarning):
            client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(url)
    except Exception as error:  # noqa: BLE001  # Many types, whose messages may hold the URL.
        problem = type(error).__name__
        raise PydanticCustomError(
            "mongodb_url",
            f"URL should be like {EXAMPLE}, percent-encoded, with valid options ({problem})",
        ) from None
    try:
        client.get_default_database()
    except ConfigurationError:
        raise PydanticCustomError(
            "mongodb_url", f"URL should end with the name of a database, as in {EXAMPLE}"
        ) from None
    if not client.write_concern.acknowledged:
        raise PydanticCustomError("mongodb_url", "URL should not disable write acknowledgement")
    return url


MongodbUrl = Secret[Annotated[str, AfterValidator(_check_url)]]
"""Any URL that pymongo accepts, a replica set or `+srv` included."""


class MongodbSettings(BaseServiceSettings):
    """Variables of the connection pool."""

    mongodb_url: MongodbUrl = Field(description="`mongodb://user:password@host:27017/name`.")
    database_pool_size: int = Field(default=10, ge=1, description="Most connections in the pool.")
