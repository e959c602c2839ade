"""Reports exceptions to Sentry, or to another error tracker with its protocol."""

import logging
import sys
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from structlog.contextvars import get_contextvars
from structlog.typing import EventDict

from ..config.settings import BaseServiceSettings
from . import logs
from .log_format import LogRenderer

FLUSH_SECONDS = 0.5
"""Flush timeout of a stopping process; the tracker may be unavailable."""
TAGS = ("method", "route", "request_id", "trace_id")
# A server that is unavailable would add six lines to that of each exception.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def _check_dsn(dsn: SecretStr) -> SecretStr:
    from sentry_sdk.utils import BadDsn, Dsn  # noqa: PLC0415  # Slow to import.

    try:
        Dsn(dsn.get_secret_value())
    except BadDsn:
        raise ValueError("must be like `https://key@host/1`") from None
    return dsn


class SentrySettings(BaseServiceSettings):
    """Variable of the error tracker."""

    sentry_dsn: Annotated[SecretStr, AfterValidator(_check_dsn)] | None = Field(
        default=None, description="`https://key@host/1`; exceptions are not reported if unset."
    )


def open_sentry(settings: SentrySettings) -> None:
    """Report each exception that is logged at ERROR or above, if `SENTRY_DSN` is set.

    A report has the stack and the ids of the log line, but no variables, headers or bodies.
    """
    if settings.sentry_dsn is None:
        return
    import sentry_sdk  # noqa: PLC0415  # Slow to import.
    from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415

    mask = LogRenderer(settings).mask
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=settings.revision,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda _pending, _seconds: None)],
        include_local_variables=False,
        shutdown_timeout=FLUSH_SECONDS,
        before_send=lambda event, _: mask(event),
    )

    def report(record: EventDict) -> None:
        found = {**record, **get_contextvars()}
        with sentry_sdk.new_scope() as scope:
            scope.set_tags({name: found[name] for name in TAGS if name in found})
            error = record["exc_info"]
            scope.capture_exception(sys.exc_info() if error is True else error)

    logs.on_exception = report
