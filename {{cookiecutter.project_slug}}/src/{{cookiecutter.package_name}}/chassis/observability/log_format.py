"""Renders log lines as JSON or text: of bounded length, with secrets masked."""

import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from ..config.settings import BaseServiceSettings

LONGEST_TEXT = 4096
"""Longest text in a line, in characters; the start is kept, of a traceback the end."""
LONGEST_LINE = 16 * 1024
"""Longest line in bytes; long fields share it equally."""
SHORTEST_SECRET = 8
"""Shortest password that is masked; shorter ones occur in ordinary words."""
MASK = "**********"


class LogRenderer:
    """Renders lines; masks the secret values of the settings."""

    def __init__(self, settings: BaseServiceSettings) -> None:
        # The longest first: one may be a part of another.
        self._secrets = sorted(set(_secrets(settings)), key=len, reverse=True)
        self._encoded = [_value(secret)[1:-1] for secret in self._secrets]

    def json(self, _: WrappedLogger, __: str, event: EventDict) -> bytes:
        """Return one JSON object in ASCII; some readers also end a line at U+0085 or U+2028."""
        line = _encode(event)
        if len(line) > LONGEST_TEXT or any(secret in line for secret in self._encoded):
            line = _encode(_fit(self._mask(msgspec.json.decode(line))))
        return line if line.isascii() else _in_ascii(msgspec.json.decode(line))

    def console(self, logger: WrappedLogger, name: str, event: EventDict) -> bytes:
        """Return text for a terminal."""
        del event["service"], event["revision"]
        event = {key: _cut(key, self._mask(value), LONGEST_TEXT) for key, value in event.items()}
        return _console(logger, name, event).encode(errors="backslashreplace")

    def _mask(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
        elif isinstance(value, dict):
            return {self._mask(key): self._mask(within) for key, within in value.items()}
        elif isinstance(value, list):
            return [self._mask(within) for within in value]
        return value


_console = structlog.dev.ConsoleRenderer(
    colors=sys.stdout.isatty(),
    timestamp_key="ts",
    exception_formatter=structlog.dev.plain_traceback,
)


def _secrets(settings: BaseServiceSettings) -> Iterator[str]:
    """Yield every secret value and the passwords in URLs, also percent-decoded."""
    for _, value in settings:
        if not hasattr(value, "get_secret_value"):
            continue
        secret = str(value.get_secret_value())
        url = urlsplit(secret)
        passwords = [text for name, text in parse_qsl(url.query) if "password" in name]
        for password in (secret, url.password or "", unquote(url.password or ""), *passwords):
            if len(password) >= SHORTEST_SECRET:
                yield password


def _encode(event: EventDict) -> bytes:
    try:
        return msgspec.json.encode(event, enc_hook=str)
    except Exception:  # noqa: BLE001  # What cannot be encoded becomes text.
        return msgspec.json.encode({_text(k): msgspec.Raw(_value(v)) for k, v in event.items()})


def _value(value: object) -> bytes:
    try:
        return msgspec.json.encode(value, enc_hook=str)
    except Exception:  # noqa: BLE001
        return msgspec.json.encode(_text(value))


def _text(value: object) -> str:
    try:
        return str(value).encode(errors="replace").decode()
    except Exception as error:  # noqa: BLE001
        return f"({type(error).__name__})"


def _in_ascii(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _fit(event: dict[str, Any]) -> dict[str, Any]:
    """Truncate long texts, then every field that takes more than its share of the line."""
    short = {key: _cut(key, value, LONGEST_TEXT) for key, value in event.items()}
    sizes = {key: len(_in_ascii({key: value})) for key, value in short.items()}
    left = LONGEST_LINE - len("{}")
    for place, key in enumerate(sorted(sizes, key=lambda key: sizes[key])):
        share = left // (len(sizes) - place)
        whole = event[key] if isinstance(event[key], str) else _in_ascii(event[key]).decode()
        keep = min(len(whole), LONGEST_TEXT)
        while sizes[key] > share and keep:
            keep = max(0, keep * share // sizes[key] - 50)
            short[key] = _cut(key, whole, keep)
            sizes[key] = len(_in_ascii({key: short[key]}))
        if sizes[key] > share:  # There are hundreds of fields: not even its name fits.
            del short[key]
        else:
            left -= sizes[key]
    return short


def _cut(key: str, value: Any, longest: int) -> Any:
    if not isinstance(value, str) or len(value) <= longest:
        return value
    kept = value[len(value) - longest :] if key == "exception" else value[:longest]
    return f"{kept} (cut from {len(value)} characters)"
