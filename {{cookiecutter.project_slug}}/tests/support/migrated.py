"""Migrates a database, whatever else the service needs to start."""

from argparse import Namespace
from typing import Any

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis.commands import migrate
from {{ cookiecutter.package_name }}.settings import Settings


def migrate_database(**settings: Any) -> None:
    """Run `migrate` in this process, with these settings and the default for others."""
    assert migrate.run(SERVICE, Settings.model_construct(**settings), Namespace()) == 0
