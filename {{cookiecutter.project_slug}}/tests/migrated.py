"""Brings the schema of a database up to date, whatever else the service needs to start."""

from argparse import Namespace

from pydantic import Secret
from pydantic_core import MultiHostUrl

from {{ cookiecutter.package_name }}.commands import migrate
from {{ cookiecutter.package_name }}.settings import Settings


def migrate_database(url: str) -> None:
    """Run `migrate` in this process, on the database of this URL."""
    settings = Settings.model_construct(database_url=Secret(MultiHostUrl(url)))
    assert migrate.run(settings, Namespace()) == 0
