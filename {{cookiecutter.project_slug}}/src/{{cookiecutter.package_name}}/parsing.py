"""From bytes to requests, by limits that hold while the bytes arrive."""

from abc import abstractmethod
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import httptools
from starlette.status import HTTP_414_URI_TOO_LONG
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .settings import Settings

PIPELINED = 100
"""How many requests of one connection may wait for the answer to an earlier one."""


class Reading(Enum):
    """Which part of a request comes next."""

    START = auto()
    HEAD = auto()
    BODY = auto()


class Refused(Exception):
    """What arrives is no request that we take; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Parsing(HttpToolsProtocol):
    """Reads requests, and hands to `refuse` what is none."""

    def __init__(self, settings: Settings, **given: Any) -> None:
        super().__init__(**given)
        self.settings = settings
        self.reading = Reading.START
        self.since = self.loop.time()
        self.deaf = False
        self._arrived = self._held = self._fields = 0

    @abstractmethod
    def refuse(self, status: int) -> None:
        """Answer with this status and be done with the connection."""

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; what the parser holds back, as part of a field, stays small."""
        if self.deaf:
            return
        self._arrived = len(data)
        try:
            self.parser.feed_data(data)
            self._held += self._arrived
            if self.reading is not Reading.START:
                self._limit_fields(self._held)
        except Refused as error:
            self.refuse(error.status)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.refuse(cause.status if isinstance(cause, Refused) else HTTPStatus.BAD_REQUEST)
        except httptools.HttpParserUpgrade:
            # We stay with HTTP/1.1; the parser does not know where the next request would start.
            self.deaf, self.cycle.keep_alive = True, False

    def on_message_begin(self) -> None:
        """Start a request, at its first byte."""
        super().on_message_begin()
        self.reading, self.since = Reading.HEAD, self.loop.time()
        self._held = self._fields = 0

    def on_url(self, url: bytes) -> None:
        """Take in a part of the target."""
        super().on_url(url)
        if len(self.url) > self.settings.max_url_bytes:
            raise Refused(HTTP_414_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a field of the head; one that follows the body is dropped."""
        if self.reading is Reading.HEAD:
            self._fields += len(name) + len(value) + len(": \r\n")
            self._limit_fields(self._fields, len(self.headers) + 1)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Have a request answered that is proper so far."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            raise Refused(HTTPStatus.BAD_REQUEST)
        if len(self.pipeline) >= PIPELINED:
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS)
        super().on_headers_complete()
        self.reading, self._arrived, self._held = Reading.BODY, 0, 0

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body, which the application limits."""
        super().on_body(body)
        self._arrived = self._held = 0

    def on_message_complete(self) -> None:
        """End a request."""
        super().on_message_complete()
        self.reading, self._arrived = Reading.START, 0

    def _limit_fields(self, size: int, count: int = 0) -> None:
        if size > self.settings.max_header_bytes or count > self.settings.max_header_fields:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
