"""Non-blocking standard output: lines are buffered for a slow reader, then dropped."""

import atexit
import os
import select
import threading
from collections.abc import Callable
from time import monotonic

BUFFER_BYTES = 4 * 1024 * 1024
"""Size of the buffer; a line that does not fit is dropped."""
FLUSH_SECONDS = 1
"""Flush timeout of an exiting process."""


class Stdout:
    """Logger for structlog: writes whole lines, in order, from any thread.

    A writable pipe takes `PIPE_BUF` bytes without blocking, so no more are written at once, and
    none before polling. `O_NONBLOCK` would affect every process that shares the pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self.dropped = 0
        self.on_recovery: Callable[[int], None] = lambda _: None
        """Called with the number of dropped lines once lines can be written again."""
        self._unreported = 0
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._lock = threading.RLock()
        self._buffer = bytearray()
        self._writer: threading.Thread | None = None

    def msg(self, line: bytes) -> None:
        """Write `line`, or buffer it."""
        line += b"\n"
        with self._lock:
            try:
                written = 0 if self._buffer else self._write(line)
            except OSError:  # The reader is gone, or the disk is full.
                self._drop(1)
                return
            if written == len(line):
                self._report_drops()
            elif written or len(self._buffer) + len(line) <= BUFFER_BYTES:
                self._enqueue(line[written:])
            else:
                self._drop(1)

    debug = info = warning = error = critical = msg

    def flush(self) -> None:
        """Wait until the buffer is written, at most for the timeout."""
        end = monotonic() + FLUSH_SECONDS
        while (writer := self._writer) and (left := end - monotonic()) > 0:
            writer.join(left)

    def _write(self, lines: bytes) -> int:
        """Write without blocking; return the number of bytes written."""
        written = 0
        while written < len(lines) and self._poll.poll(0):
            try:
                written += os.write(self._descriptor, lines[written : written + select.PIPE_BUF])
            except BlockingIOError:  # Another process has made it so.
                break
        return written

    def _enqueue(self, rest: bytes) -> None:
        self._buffer += rest
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_buffer, daemon=True)
            self._writer.start()

    def _write_buffer(self) -> None:
        blocking = select.poll()
        blocking.register(self._descriptor, select.POLLOUT)
        while True:
            blocking.poll()
            with self._lock:
                try:
                    del self._buffer[: self._write(bytes(self._buffer[: select.PIPE_BUF]))]
                except OSError:
                    self._drop(self._buffer.count(b"\n"))
                    self._buffer.clear()
                if not self._buffer:
                    self._writer = None
                    self._report_drops()
                    return

    def _drop(self, lines: int) -> None:
        self.dropped += lines
        self._unreported += lines

    def _report_drops(self) -> None:
        if self._unreported:
            lines, self._unreported = self._unreported, 0
            self.on_recovery(lines)


stdout = Stdout(1)
atexit.register(stdout.flush)
