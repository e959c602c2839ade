"""Categories of PostgreSQL failures, by SQLSTATE or, if a connection fails, by libpq's message."""

import re

from psycopg import Error, InterfaceError, OperationalError
from psycopg.errors import (
    ConnectionTimeout,
    InFailedSqlTransaction,
    InsufficientPrivilege,
    InvalidSchemaName,
    ReadOnlySqlTransaction,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
)
from psycopg_pool import PoolTimeout

SCHEMA_ERRORS = (UndefinedColumn, UndefinedFunction, UndefinedTable)
OUTAGES = (
    OperationalError,
    InterfaceError,
    InFailedSqlTransaction,
    InsufficientPrivilege,
    InvalidSchemaName,
    ReadOnlySqlTransaction,
    TimeoutError,
    *SCHEMA_ERRORS,
)
"""Errors of a server that is unavailable or cannot do what this release needs."""

SQLSTATES = {
    "25006": "read-only",
    "25P03": "timeout",
    "28": "auth",
    "3D000": "no database",
    "3F000": "schema",
    "42501": "permission",
    "55P03": "timeout",
    "57014": "timeout",
}
MESSAGES = {
    "resolve host|translate host name": "name",
    "database .* does not exist|no such database": "no database",
    "authentication|password|pg_hba|role .* does not exist|no such user|not permitted to": "auth",
    "permission denied": "permission",
    "read-only": "read-only",
    "connection refused|no such file": "refused",
    "timeout|timed out": "timeout",
    "ssl|tls|certificate": "tls",
}
"""Patterns of messages without an SQLSTATE; servers may translate theirs, so not all match."""


def category(error: BaseException) -> str:
    """Return the category of a failure (see `Unavailable`)."""
    if isinstance(error, TimeoutError | ConnectionTimeout | PoolTimeout):
        return "timeout"
    if isinstance(error, SCHEMA_ERRORS):
        return "schema"
    if isinstance(error, Error) and (state := error.sqlstate):
        return SQLSTATES.get(state) or SQLSTATES.get(state[:2]) or "unavailable"
    message = re.sub('"[^"]*"', "", str(error).lower())  # Names may contain these words.
    matches = (name for pattern, name in MESSAGES.items() if re.search(pattern, message))
    return next(matches, "unavailable")
