"""Logs are an event stream on stdout: one JSON object a line, whoever speaks."""

import json
import logging
import sys
import threading
from types import TracebackType

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from .settings import Settings

log: FilteringBoundLogger = structlog.get_logger()

LONGEST_TEXT = 4096
"""Characters of one text that a line keeps: the beginning, or the end of a traceback."""


def configure(settings: Settings | None = None) -> None:
    """Send to stdout what structlog, `logging`, warnings and crashes say, as the settings ask."""
    settings = settings or Settings.model_construct()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    identity = {"service": settings.otel_service_name, "revision": settings.revision}

    def identify(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        # What a reader looks for first comes first.
        first = {key: event.pop(key) for key in ("ts", "level", "event")}
        return {**first, **event, **identity}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.format_exc_info,
            identify,
            _cut_long_texts,
            _render_json if settings.log_format == "json" else _render_console,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stdout.buffer),
    )
    # Libraries speak up from WARNING on, unless everything is asked for.
    others = level if level == logging.DEBUG else max(level, logging.WARNING)
    logging.basicConfig(handlers=[_StandardLibrary()], level=others, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_crash
    threading.excepthook = lambda crash: _log_crash(crash.exc_type, crash.exc_value, None)


class _StandardLibrary(logging.Handler):
    """Hands the records of `logging` to structlog, so that they look like every other line."""

    def emit(self, record: logging.LogRecord) -> None:
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _log_crash(
    kind: type[BaseException], error: BaseException | None, _: TracebackType | None
) -> None:
    log.critical("crashed", exc_info=error or kind())


def _cut_long_texts(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            kept = value[-LONGEST_TEXT:] if key == "exception" else value[:LONGEST_TEXT]
            event[key] = f"{kept} (cut from {len(value)} characters)"
    return event


def _render_json(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    try:
        line = msgspec.json.encode(event, enc_hook=str)
    except (UnicodeEncodeError, TypeError):
        line = b"\xff"
    # Some readers also end a line at U+0085 or U+2028, so what is not ASCII is escaped.
    return line if line.isascii() else json.dumps(event, default=str).encode()


_console = structlog.dev.ConsoleRenderer(
    colors=sys.stdout.isatty(),
    timestamp_key="ts",
    exception_formatter=structlog.dev.plain_traceback,
)


def _render_console(logger: WrappedLogger, name: str, event: EventDict) -> bytes:
    del event["service"], event["revision"]
    return _console(logger, name, event).encode(errors="backslashreplace")
