"""The settings and commands of the rendered service in the current folder."""

from importlib import import_module
from typing import Any

from .manifests import ROOT

(_path,) = ROOT.glob("src/*/__main__.py")
PACKAGE = _path.parent.name
_settings: Any = import_module(f"{PACKAGE}.settings").Settings
_secret_fields = import_module(f"{PACKAGE}.chassis.config.loader").secret_fields

COMMANDS: set[str] = {*import_module(f"{PACKAGE}.__main__").SERVICE.commands}
FIELDS: dict[str, Any] = {name.upper(): field for name, field in _settings.model_fields.items()}
"""The fields of the settings, by variable."""
SECRETS = {name.upper() for name in _secret_fields(_settings)}
