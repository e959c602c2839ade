"""Brings the schema of a database up to date, whatever else the service needs to start."""

from argparse import Namespace
from typing import Any

from {{ cookiecutter.package_name }}.commands import migrate
from {{ cookiecutter.package_name }}.settings import Settings


def migrate_database(**settings: Any) -> None:
    """Run `migrate` in this process, with these settings and the default for others."""
    assert migrate.run(Settings.model_construct(**settings), Namespace()) == 0
