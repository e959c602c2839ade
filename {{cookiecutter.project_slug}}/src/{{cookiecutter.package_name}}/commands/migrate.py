"""Bring the schema up to date: a step before a release, safe when several run at once."""

from argparse import Namespace

from .. import exits
{% if cookiecutter.database == "mongodb" %}
from ..adapters.mongodb_schema import migrate
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from ..adapters.postgres_schema import migrate
{% endif %}
from ..domain.errors import Unavailable
from ..logs import log
from ..settings import Settings


def run(settings: Settings, _: Namespace) -> int:
    """Make what is missing, log each step; return 0, or 69 if the database does not let us."""
    try:
        schema = migrate(settings)
    except Unavailable as error:
        log.error("not migrated", failure=error.failure)
        return exits.UNAVAILABLE
    log.info("migrated", schema=schema)
    return 0
