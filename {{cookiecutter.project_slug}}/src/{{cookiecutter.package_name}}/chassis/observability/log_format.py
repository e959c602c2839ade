"""Renders log records as JSON or text: of bounded length, with secrets masked."""

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from ..config.settings import BaseServiceSettings

FIELD_LENGTHS = (4096, 1024, 256, 64)
"""Maximum length of a field in characters; the next one applies if the line is still too long."""
LINE_LENGTH = 16 * 1024
"""Maximum length of a line in bytes."""
ALWAYS_KEPT = ("ts", "level", "event", "request_id", "trace_id", "service", "revision")
"""Fields that remain if the line is still too long."""
SHORTEST_SECRET = 8
"""Length of the shortest password that is masked; shorter ones occur in ordinary words."""
MASK = "**********"


class LogRenderer:
    """Renders log records; masks the secret values of the settings."""

    def __init__(self, settings: BaseServiceSettings) -> None:
        # The longest first: one may be a part of another.
        self._secrets = sorted(set(_secrets(settings)), key=len, reverse=True)
        self._encoded = [_encode_value(secret)[1:-1] for secret in self._secrets]

    def json(self, _: WrappedLogger, __: str, event: EventDict) -> bytes:
        """Return one JSON object in ASCII; some readers also end a line at U+0085 or U+2028."""
        line = _encode(event)
        if len(line) > FIELD_LENGTHS[0] or any(secret in line for secret in self._encoded):
            line = _encode(self._clean(line))
        return line if line.isascii() else _ascii(msgspec.json.decode(line)).encode()

    def console(self, logger: WrappedLogger, name: str, event: EventDict) -> bytes:
        del event["service"], event["revision"]
        return _console(logger, name, self._clean(_encode(event))).encode()

    def _clean(self, line: bytes) -> EventDict:
        """Mask the secrets in an encoded record, and truncate it to the length of a line."""
        event = self.mask(msgspec.json.decode(line))
        for length in FIELD_LENGTHS:
            short = {key: _truncate(key, value, length) for key, value in event.items()}
            if len(_ascii(short)) <= LINE_LENGTH:
                return short
        kept = {key: short[key] for key in ALWAYS_KEPT if key in short}
        return kept | {"dropped_fields": len(event) - len(kept)}

    def mask(self, value: Any) -> Any:
        """Return decoded JSON with its secrets masked."""
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
        elif isinstance(value, dict):
            return {self.mask(key): self.mask(within) for key, within in value.items()}
        elif isinstance(value, list):
            return [self.mask(within) for within in value]
        return value


_console = structlog.dev.ConsoleRenderer(
    colors=os.isatty(1),
    timestamp_key="ts",
    exception_formatter=structlog.dev.plain_traceback,
)


_encode_json = msgspec.json.Encoder(enc_hook=str).encode


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
        return _encode_json(event)
    except Exception:  # noqa: BLE001  # A value that cannot be encoded becomes text.
        values = {_text(key): msgspec.Raw(_encode_value(event[key])) for key in event}
        return msgspec.json.encode(values)


def _encode_value(value: object) -> bytes:
    try:
        return _encode_json(value)
    except Exception:  # noqa: BLE001
        return msgspec.json.encode(_text(value))


def _text(value: object) -> str:
    try:
        return str(value).encode(errors="replace").decode()
    except Exception as error:  # noqa: BLE001
        return f"({type(error).__name__})"


def _ascii(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _truncate(key: str, value: Any, length: int) -> Any:
    """Return `value`, or the start of its text if that is too long; of a traceback the end."""
    text = value if isinstance(value, str) else _ascii(value)
    if len(text) <= length:
        return value
    kept = text[len(text) - length :] if key == "exception" else text[:length]
    return f"{kept} (cut from {len(text)} characters)"
