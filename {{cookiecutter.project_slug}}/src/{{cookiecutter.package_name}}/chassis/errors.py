"""Errors that the chassis turns into responses and exit codes."""


class Unavailable(Exception):
    """A backing service is unavailable; a retry may succeed.

    `failure` is its category, never a message, which may hold a URL: "name" (the host name does
    not resolve), "refused", "auth", "timeout", "tls", "no database", "permission", "read-only",
    "schema" (not the one that this release needs) or "unavailable" (anything else).
    """

    def __init__(self, service: str, failure: str) -> None:
        super().__init__(f"{service}: {failure}")
        self.service = service
        self.failure = failure
