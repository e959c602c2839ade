"""What can go wrong in ways that a caller is told about."""


class Unavailable(Exception):
    """A backing service does not answer as it should; asking again later may work.

    `failure` is the kind of failure, a class name: never its message, which may hold an address.
    """

    def __init__(self, service: str, failure: str) -> None:
        super().__init__(f"{service}: {failure}")
        self.service = service
        self.failure = failure
