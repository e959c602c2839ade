"""Logs are an event stream on stdout: one JSON object a line, whoever speaks."""

import logging
import sys
import threading
from contextvars import Context
from types import TracebackType

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from .log_lines import Lines
from .settings import Settings
from .stdout import stdout

log: FilteringBoundLogger = structlog.get_logger()


def configure(settings: Settings | None = None) -> None:
    """Send to stdout what structlog, `logging`, warnings and crashes say, as the settings ask."""
    settings = settings or Settings.model_construct()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    identity = {"service": settings.otel_service_name, "revision": settings.revision}
    lines = Lines(settings)

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
            lines.json if settings.log_format == "json" else lines.console,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: stdout,
    )
    stdout.tell_of_drops = _tell_of_drops
    # Libraries speak up from WARNING on, unless everything is asked for.
    others = level if level == logging.DEBUG else max(level, logging.WARNING)
    logging.basicConfig(handlers=[_StandardLibrary()], level=others, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_crash
    threading.excepthook = lambda crash: _log_crash(crash.exc_type, crash.exc_value, None)
    sys.unraisablehook = lambda found: log.error("not raised", exc_info=found.exc_value)


class _StandardLibrary(logging.Handler):
    """Hands the records of `logging` to structlog, so that they look like every other line."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = record.getMessage()
        except Exception:  # noqa: BLE001  # Its arguments do not fit, which is no fault of ours.
            event = str(record.msg)
        # structlog knows the five levels, and libraries have others between them.
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        log.log(level, event, logger=record.name, exc_info=record.exc_info)


def _log_crash(
    kind: type[BaseException], error: BaseException | None, _: TracebackType | None
) -> None:
    log.critical("crashed", exc_info=error or kind())


def _tell_of_drops(lines: int) -> None:
    # On behalf of no request, although one may have found out.
    Context().run(log.warning, "log lines dropped", lines=lines)
