"""What a service declares to the chassis: settings, resources, applications and commands."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, NamedTuple

from .observability.settings import ObservabilitySettings


class Command(NamedTuple):
    """A command: its module, with `run(service, settings, arguments)`, and its help text."""

    module: str
    help: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service; import strings `module:name` are resolved on use, so commands start quickly."""

    settings: type[ObservabilitySettings]
    resources: str
    """`open_resources(settings, process)`: async context manager of resources with `pings`."""
    web: str
    """`create_app(settings, readiness)`: the application of the web process."""
    worker: str = ""
    """`create_app(settings, readiness)`: the application of the second process, if there is one."""
    migrate: str = ""
    """`migrate(settings)`: migrates the database and returns its schema revision."""
    commands: Mapping[str, Command]

    def open_resources(self, settings: Any, process: str) -> AbstractAsyncContextManager[Any]:
        """Open the resources of the process or command with this name."""
        opened: AbstractAsyncContextManager[Any] = resolve_name(self.resources)(settings, process)
        return opened
