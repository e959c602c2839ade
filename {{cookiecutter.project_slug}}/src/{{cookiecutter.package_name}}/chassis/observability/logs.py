"""Logging: one JSON object per line on stdout, for structlog, `logging`, warnings and crashes."""

import logging
import sys
import threading
from contextvars import Context
from types import TracebackType

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from .log_format import LogRenderer
from .settings import ObservabilitySettings
from .stdout import stdout

log: FilteringBoundLogger = structlog.get_logger()


def configure(settings: ObservabilitySettings | None = None) -> None:
    """Log to stdout with the level and format of the settings, or with their defaults."""
    settings = settings or ObservabilitySettings.model_construct()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    identity = {"service": settings.otel_service_name, "revision": settings.revision}
    renderer = LogRenderer(settings)

    def identify(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        # What readers look for first comes first.
        first = {key: event.pop(key) for key in ("ts", "level", "event")}
        return {**first, **event, **identity}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.format_exc_info,
            identify,
            renderer.json if settings.log_format == "json" else renderer.console,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: stdout,
    )
    stdout.on_recovery = _log_drops
    # Libraries log from WARNING on, except at debug.
    others = level if level == logging.DEBUG else max(level, logging.WARNING)
    logging.basicConfig(handlers=[_StandardLibrary()], level=others, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_crash
    threading.excepthook = lambda crash: _log_crash(crash.exc_type, crash.exc_value, None)
    sys.unraisablehook = lambda found: log.error("not raised", exc_info=found.exc_value)


class _StandardLibrary(logging.Handler):
    """Passes the records of `logging` to structlog, so that all lines look alike."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = record.getMessage()
        except Exception:  # noqa: BLE001  # Its arguments do not fit its message.
            event = str(record.msg)
        # structlog knows five levels; libraries use others between them.
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        log.log(level, event, logger=record.name, exc_info=record.exc_info)


def _log_crash(
    kind: type[BaseException], error: BaseException | None, _: TracebackType | None
) -> None:
    log.critical("crashed", exc_info=error or kind())


def _log_drops(lines: int) -> None:
    # Without the ids of the request that happens to notice.
    Context().run(log.warning, "log lines dropped", lines=lines)
