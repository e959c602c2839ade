"""Parses HTTP/1.1 requests with limits that hold while the bytes arrive."""

from enum import Enum, auto
from http import HTTPStatus

import httptools
from starlette.status import HTTP_413_CONTENT_TOO_LARGE, HTTP_414_URI_TOO_LONG
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .settings import HttpSettings

PIPELINED = 100
"""Most requests of a connection that wait for the response to an earlier one."""


class Reading(Enum):
    """The part of a request that comes next."""

    START = auto()
    HEADERS = auto()
    BODY = auto()


class RequestError(Exception):
    """A request is malformed or too large; `status` is that of the response."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class RequestParser:
    """Feeds httptools' `parser` and passes its events, within limits, to uvicorn's callbacks."""

    def __init__(self, target: HttpToolsProtocol, settings: HttpSettings) -> None:
        self.reading = Reading.START
        self.since = target.loop.time()
        """Loop time at which the current request began, or the wait for the next one."""
        self._target = target
        self._settings = settings
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._arrived = self._buffered = self._header_bytes = self._body_bytes = 0

    def close(self) -> None:
        """Drop the references to the connection, so that it is freed at once."""
        self._target = self.parser = None  # type: ignore[assignment]

    def feed_data(self, data: bytes) -> None:
        """Parse `data`; raises `RequestError`, or `HttpParserUpgrade` after a whole request."""
        self._arrived = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            raise (
                cause if isinstance(cause, RequestError) else RequestError(HTTPStatus.BAD_REQUEST)
            ) from None
        self._buffered += self._arrived
        if self.reading is not Reading.START:  # httptools holds back a part of a header.
            self._limit_headers(self._buffered)

    def on_message_begin(self) -> None:
        self._target.on_message_begin()
        self.reading, self.since = Reading.HEADERS, self._target.loop.time()
        self._buffered = self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._target.on_url(url)
        if len(self._target.url) > self._settings.max_url_bytes:
            raise RequestError(HTTP_414_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; a trailer, which follows the body, is dropped."""
        if self.reading is Reading.HEADERS:
            self._header_bytes += len(name) + len(value) + len(": \r\n")
            self._limit_headers(self._header_bytes, len(self._target.headers) + 1)
            self._target.on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the response to a request whose headers are valid."""
        headers = self._target.headers
        hosts = sum(name == b"host" for name, _ in headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            raise RequestError(HTTPStatus.BAD_REQUEST)
        if len(self._target.pipeline) >= PIPELINED:
            raise RequestError(HTTPStatus.TOO_MANY_REQUESTS)
        self._limit_body(next((int(v) for name, v in headers if name == b"content-length"), 0))
        self._target.on_headers_complete()
        self.reading, self._arrived, self._buffered = Reading.BODY, 0, 0
        self._body_bytes = 0

    def on_body(self, body: bytes) -> None:
        self._arrived = self._buffered = 0
        self._body_bytes += len(body)
        self._limit_body(self._body_bytes)
        self._target.on_body(body)

    def on_message_complete(self) -> None:
        self._target.on_message_complete()
        self.reading, self._arrived = Reading.START, 0

    def _limit_body(self, size: int) -> None:
        if size > self._settings.max_body_bytes:
            raise RequestError(HTTP_413_CONTENT_TOO_LARGE)

    def _limit_headers(self, size: int, count: int = 0) -> None:
        if size > self._settings.max_header_bytes or count > self._settings.max_header_fields:
            raise RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
