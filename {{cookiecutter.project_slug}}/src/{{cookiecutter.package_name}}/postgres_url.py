"""The shape of `DATABASE_URL`: what libpq accepts, a Unix socket or several hosts included."""

from typing import Annotated

from pydantic import Secret, UrlConstraints
from pydantic_core import MultiHostUrl

PostgresUrl = Secret[
    Annotated[MultiHostUrl, UrlConstraints(allowed_schemes=["postgresql", "postgres"])]
]
