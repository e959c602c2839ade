"""Migrates the schema with Alembic, which only the command `migrate` imports."""

import logging

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from ..errors import Unavailable
from ..observability.logs import log
from .database import MIGRATIONS, newest_revision
from .failures import OUTAGES, SCHEMA_ERRORS, category
from .settings import PostgresSettings


def migrate(settings: PostgresSettings) -> str:
    """Apply and log the missing migrations; return the number of the newest in the database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database_url"] = str(settings.database_url.get_secret_value())
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    try:
        command.upgrade(config, "head")
    except (DBAPIError, *OUTAGES) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, OUTAGES) or isinstance(cause, SCHEMA_ERRORS):
            raise  # A bug in a migration.
        raise Unavailable("database", category(cause)) from error
    newer = config.attributes.get("newer_schema")
    if newer:
        log.info("newer schema kept", schema=newer)
    return newer or newest_revision()
