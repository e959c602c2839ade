"""Bring the schema up to date: a step before a release, safe when several run at once."""

import logging
from argparse import Namespace

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from .. import exits
from ..adapters.schema import MIGRATIONS, newest_revision
from ..logs import log
from ..settings import Settings


def run(settings: Settings, _: Namespace) -> int:
    """Apply what is missing, log each revision; return 0, or 69 if the database does not let us."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database_url"] = str(settings.database_url.get_secret_value())
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        log.error("not migrated", failure=type(error.orig).__name__)
        return exits.UNAVAILABLE
    log.info("migrated", schema=newest_revision())
    return 0
