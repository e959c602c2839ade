"""Types of events: their names, their versions and their JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

type Data = dict[str, Any]
type Upcast = Callable[[Data], Data]
"""Turns the data of one version of a type into those of the next version."""


class UnknownEvent(Exception):
    """No type has this name, or the type has no such version."""


class InvalidEvent(Exception):
    """The data of an event do not fit its type."""


class EventTypes:
    """Dataclasses of events. The name of a class is the name of its type; never change it.

    The version of a type is 1, plus one for each of its upcasts.
    """

    def __init__(
        self, *classes: type, upcasts: Mapping[type, Sequence[Upcast]] | None = None
    ) -> None:
        self._classes = {each.__name__: each for each in classes}
        self._upcasts = {each.__name__: list(them) for each, them in (upcasts or {}).items()}

    def encode(self, event: object) -> tuple[str, int, Data]:
        """Return type, newest version and data; raise `UnknownEvent` or `InvalidEvent`."""
        name = type(event).__name__
        if self._classes.get(name) is not type(event):
            raise UnknownEvent(name)
        data: Data = msgspec.to_builtins(event)
        self._convert(name, data)
        return name, 1 + len(self._upcasts.get(name, [])), data

    def decode(self, name: str, version: int, data: Data) -> object:
        """Return an event, also from an old version; raise `UnknownEvent` or `InvalidEvent`."""
        upcasts = self._upcasts.get(name, [])
        if name not in self._classes:
            raise UnknownEvent(name)
        if not 1 <= version <= 1 + len(upcasts):
            raise UnknownEvent(f"{name}, version {version}")
        for upcast in upcasts[version - 1 :]:
            data = upcast(data)
        return self._convert(name, data)

    def _convert(self, name: str, data: Data) -> object:
        try:
            return msgspec.convert(data, self._classes[name])
        except msgspec.ValidationError as error:
            raise InvalidEvent(f"{name}: {error}") from None
