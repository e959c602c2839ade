"""Migrates the schema with Alembic, which only the command `migrate` imports."""

import logging

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from ..errors import Unavailable
from .database import MIGRATIONS, newest_revision
from .settings import PostgresSettings


def migrate(settings: PostgresSettings) -> str:
    """Apply and log the missing migrations; return the number of the newest."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database_url"] = str(settings.database_url.get_secret_value())
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        raise Unavailable("database", type(error.orig).__name__) from error
    return newest_revision()
