"""Migrate the database: a separate release step, safe to run concurrently."""

import os
import signal
from argparse import Namespace

from .config.settings import BaseServiceSettings
from .errors import Unavailable
from .observability.logs import log
from .service import Service


def run(service: Service, settings: BaseServiceSettings, _: Namespace) -> int:
    """Apply and log the missing migrations; return 0, or 69 if the database is unavailable.

    SIGTERM also cancels the statement that the server executes.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        schema = service.target("migrate")(settings)
    except Unavailable as error:
        log.error("migration failed", failure=error.failure)
        return os.EX_UNAVAILABLE
    except KeyboardInterrupt:
        log.error("migration interrupted")
        return 128 + signal.SIGTERM
    log.info("database migrated", schema=schema)
    return 0
