"""Errors that the chassis turns into responses and exit codes."""


class Unavailable(Exception):
    """A backing service is unavailable; a retry may succeed.

    `failure` is the category of the failure, a class name: never a message, which may hold a URL.
    """

    def __init__(self, service: str, failure: str) -> None:
        super().__init__(f"{service}: {failure}")
        self.service = service
        self.failure = failure
