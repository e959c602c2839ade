"""Brings the schema up to date with Alembic, which nothing but `migrate` imports."""

import logging

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from ..domain.errors import Unavailable
from ..settings import Settings
from .schema import MIGRATIONS, newest_revision


def migrate(settings: Settings) -> str:
    """Apply the migrations that are missing, log each; return the number of the newest."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database_url"] = str(settings.database_url.get_secret_value())
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        raise Unavailable("database", type(error.orig).__name__) from error
    return newest_revision()
