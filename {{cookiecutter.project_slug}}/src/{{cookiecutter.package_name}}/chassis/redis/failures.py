"""Failures of Redis and their categories."""

import errno
from socket import gaierror
from ssl import SSLError

from redis import exceptions

CATEGORIES: dict[type[BaseException], str] = {
    gaierror: "name",
    UnicodeError: "name",
    SSLError: "tls",
    exceptions.AuthenticationError: "auth",
    exceptions.AuthenticationWrongNumberOfArgsError: "auth",
    exceptions.AuthorizationError: "auth",
    exceptions.NoPermissionError: "permission",
    exceptions.ReadOnlyError: "read-only",
    exceptions.MasterDownError: "read-only",
    exceptions.TimeoutError: "timeout",
    TimeoutError: "timeout",
}
TEXTS = {
    "DB index is out of range": "no database",
    "ACL failure in script": "permission",
    "The user executing the script can't": "permission",  # Before Redis 7.2.
    "-READONLY": "read-only",
    "MISCONF": "read-only",
    "NOREPLICAS": "read-only",
    f"[Errno {errno.ECONNREFUSED}]": "refused",
}
"""Parts of messages of errors without a type: of the server, or of hosts with several addresses."""


def category(error: BaseException) -> str:
    """Return the category of a failure (see `Unavailable`): its own, or that of its cause."""
    cause: BaseException | None = error
    while cause:
        for error_type, found in CATEGORIES.items():
            if isinstance(cause, error_type):
                return found
        for text, found in TEXTS.items():
            if text in str(cause):
                return found
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "unavailable"
