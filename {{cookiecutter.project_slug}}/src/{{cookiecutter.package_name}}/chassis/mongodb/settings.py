"""Settings of MongoDB."""

import warnings
from typing import Annotated

from pydantic import AfterValidator, Field, Secret
from pydantic_core import PydanticCustomError

from ..config.settings import BaseServiceSettings

EXAMPLE = "mongodb://user:password@host:27017/name"


def _accepted(url: str) -> str:
    """Return the URL if the client takes it; ask no server and no name server."""
    from pymongo import AsyncMongoClient  # noqa: PLC0415  # Not for commands without configuration.
    from pymongo.errors import ConfigurationError  # noqa: PLC0415

    if not url.startswith(("mongodb://", "mongodb+srv://")):
        raise PydanticCustomError("mongodb_url", f"URL scheme should be that of {EXAMPLE}")
    try:
        # Of an option that it does not know the client only warns, and with its value.
        with warnings.catch_warnings(action="error", category=UserWarning):
            client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(url)
    except Exception as error:  # noqa: BLE001  # Many kinds, whose messages may repeat the URL.
        kind = type(error).__name__
        raise PydanticCustomError(
            "mongodb_url",
            f"URL should be like {EXAMPLE}, percent-encoded, with MongoDB's options ({kind})",
        ) from None
    try:
        client.get_default_database()
    except ConfigurationError:
        raise PydanticCustomError(
            "mongodb_url", f"URL should end with the name of a database, as in {EXAMPLE}"
        ) from None
    if not client.write_concern.acknowledged:
        raise PydanticCustomError("mongodb_url", "URL should not ask for unconfirmed writes")
    return url


MongodbUrl = Secret[Annotated[str, AfterValidator(_accepted)]]
"""Any URL that pymongo accepts, a replica set or `+srv` included."""


class MongodbSettings(BaseServiceSettings):
    """Variables of the connection pool."""

    mongodb_url: MongodbUrl = Field(description="`mongodb://user:password@host:27017/name`.")
    database_pool_size: int = Field(default=10, ge=1, description="Most connections in the pool.")
