"""Logging: one JSON object per line on stdout, for structlog, `logging`, warnings and crashes."""

import logging
import sys
import threading
from contextvars import Context
from datetime import UTC, datetime
from types import TracebackType

import structlog
from structlog.contextvars import get_contextvars
from structlog.processors import format_exc_info
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from ..config.settings import BaseServiceSettings
from .log_format import LogRenderer
from .stdout import stdout

log: FilteringBoundLogger = structlog.get_logger()


def on_exception(record: EventDict) -> None:
    """Replace this to report exceptions: called for each that is logged at ERROR or above."""


def configure(settings: BaseServiceSettings | None = None) -> None:
    """Log to stdout, with the level and format of the settings or with the defaults."""
    settings = settings or BaseServiceSettings.model_construct()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    identity = {"service": settings.otel_service_name, "revision": settings.revision}
    renderer = LogRenderer(settings)
    render = renderer.json if settings.log_format == "json" else renderer.console

    def line(logger: WrappedLogger, level: str, event: EventDict) -> bytes:
        """Assemble and render a record in one step; a chain of processors is slower."""
        if "exc_info" in event:
            if level in ("error", "critical") and event["exc_info"]:
                on_exception(event)
            event = format_exc_info(logger, level, event)
        first = {"ts": datetime.now(UTC), "level": level, "event": event.pop("event")}
        return render(logger, level, {**first, **get_contextvars(), **event, **identity})

    structlog.configure(
        processors=[line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: stdout,
    )
    stdout.on_recovery = _log_drops
    # Libraries log at WARNING and above, unless the level is debug.
    others = level if level == logging.DEBUG else max(level, logging.WARNING)
    logging.basicConfig(handlers=[_StandardLibrary()], level=others, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_crash
    threading.excepthook = lambda crash: _log_crash(crash.exc_type, crash.exc_value, None)
    sys.unraisablehook = lambda it: log.error("unraisable exception", exc_info=it.exc_value)


class _StandardLibrary(logging.Handler):
    """Passes records of `logging` to structlog, so that all lines have the same format."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = record.getMessage()
        except Exception:  # noqa: BLE001  # The arguments do not match the message.
            event = str(record.msg)
        # structlog has five levels; libraries may use others in between.
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        log.log(level, event, logger=record.name, exc_info=record.exc_info)


def _log_crash(
    error_type: type[BaseException], error: BaseException | None, _: TracebackType | None
) -> None:
    log.critical("uncaught exception", exc_info=error or error_type())


def _log_drops(records: int) -> None:
    # In an empty context, without the ids of the current request.
    Context().run(lambda: log.warning("log records dropped", records=records))
