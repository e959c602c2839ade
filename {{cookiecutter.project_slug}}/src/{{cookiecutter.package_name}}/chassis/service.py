"""Declaration of a service: settings, resources and commands."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, NamedTuple

from .config.settings import BaseServiceSettings


class Command(NamedTuple):
    """A command. Import strings `module:name` are resolved on use, so that commands start fast."""

    help: str
    function: str
    """Gets the service, the settings and the parsed arguments; returns the exit code."""
    target: str = ""
    """What the function calls: an application factory, or a function of the service."""
    options: str = ""
    """Adds options to a parser."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service, as `__main__.py` declares it."""

    settings: type[BaseServiceSettings]
    resources: str
    """`open_resources(settings, process)`: async context manager of resources with `pings`."""
    commands: Mapping[str, Command]
    on_start: Sequence[str] = ()
    """Functions that are called with the settings before a command runs."""

    def open_resources(self, settings: Any, process: str) -> AbstractAsyncContextManager[Any]:
        opened: AbstractAsyncContextManager[Any] = resolve_name(self.resources)(settings, process)
        return opened

    def start(self, settings: BaseServiceSettings) -> None:
        for function in self.on_start:
            resolve_name(function)(settings)

    def target(self, command: str) -> Any:
        return resolve_name(self.commands[command].target)
