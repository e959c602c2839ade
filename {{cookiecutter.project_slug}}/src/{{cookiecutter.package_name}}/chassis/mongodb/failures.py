"""Failures of MongoDB and their categories."""

import errno
import re

from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ProtocolError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

OUTAGES = (
    ConnectionFailure,
    ConfigurationError,  # Raised for a `mongodb+srv` name that cannot be resolved.
    CursorNotFound,
    ExecutionTimeout,
    ProtocolError,
    TimeoutError,
    WriteConcernError,
)
"""Errors of an unavailable server."""
CODES = {
    6: "unavailable",  # HostUnreachable, of a shard
    7: "unavailable",  # HostNotFound, of a shard
    11: "auth",  # UserNotFound
    13: "permission",  # Unauthorized
    18: "auth",  # AuthenticationFailed
    24: "timeout",  # LockTimeout
    85: "schema",  # IndexOptionsConflict
    86: "schema",  # IndexKeySpecsConflict
    89: "timeout",  # NetworkTimeout
    91: "unavailable",  # ShutdownInProgress
    133: "unavailable",  # FailedToSatisfyReadPreference
    134: "unavailable",  # ReadConcernMajorityNotAvailableYet
    202: "timeout",  # NetworkInterfaceExceededTimeLimit
    262: "timeout",  # ExceededTimeLimit
    334: "auth",  # MechanismUnavailable
    8000: "auth",  # AtlasError
    9001: "unavailable",  # SocketException
    11600: "unavailable",  # InterruptedAtShutdown
    11601: "unavailable",  # Interrupted
    14031: "unavailable",  # OutOfDiskSpace
    16500: "unavailable",  # Too many requests, of Cosmos DB
}
"""Categories of responses with an error code; other codes mean a bug of the service."""
TEXTS = {
    r"\[Errno -\d|'idna' codec|UnicodeError|DNS": "name",
    rf"\[Errno {errno.ECONNREFUSED}\]": "refused",
    r"\[SSL|SSL handshake|certificate verify": "tls",
    r"available for writes|match selector": "read-only",
    r"timed out|found yet": "timeout",
}
"""Parts of messages: a failed server selection holds no causes."""
TIMEOUTS = (TimeoutError, NetworkTimeout, WaitQueueTimeoutError, ExecutionTimeout, WTimeoutError)


def is_outage(error: Exception) -> bool:
    """Return whether the server is unavailable; other errors are bugs of the service."""
    return isinstance(error, OUTAGES) or (
        isinstance(error, OperationFailure) and error.code in CODES
    )


def category(error: Exception) -> str:
    """Return the category of an outage (see `Unavailable`)."""
    if isinstance(error, TIMEOUTS):
        return "timeout"
    details = getattr(error, "details", None)
    code = details.get("code") if isinstance(details, dict) else None
    if code in CODES:
        return CODES[code]
    if isinstance(error, NotPrimaryError):
        return "read-only"
    for text, found in TEXTS.items():
        if re.search(text, str(error)):
            return found
    return "unavailable"
