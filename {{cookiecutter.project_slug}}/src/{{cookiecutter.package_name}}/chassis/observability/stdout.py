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
        self._lock = threading.RLock()
        self._poll = self._new_poll()
        self._buffer = bytearray()
        self._writer: threading.Thread | None = None

    def msg(self, line: bytes) -> None:
        """Write `line`, or buffer it for the writer thread."""
        with self._lock:
            if self._buffer and len(self._buffer) + len(line) >= BUFFER_BYTES:
                self._drop(1)
                return
            self._buffer += line + b"\n"
            if self._writer is None:
                self._write_some()
                if self._buffer:
                    self._writer = threading.Thread(target=self._write_all, daemon=True)
                    self._writer.start()

    debug = info = warning = error = critical = msg

    def flush(self) -> None:
        """Wait until the buffer is written, at most for the timeout."""
        end = monotonic() + FLUSH_SECONDS
        while (writer := self._writer) and (left := end - monotonic()) > 0:
            writer.join(left)

    def _write_some(self) -> None:
        """Write as much of the buffer as does not block."""
        try:
            while self._buffer and self._poll.poll(0):
                written = os.write(self._descriptor, self._buffer[: select.PIPE_BUF])
                del self._buffer[:written]
        except BlockingIOError:
            return  # Another process has set `O_NONBLOCK`.
        except OSError:  # The reader is gone, or the disk is full.
            self._drop(self._buffer.count(b"\n"))
            self._buffer.clear()
            return
        if self._unreported and not self._buffer:
            records, self._unreported = self._unreported, 0
            self.on_recovery(records)

    def _write_all(self) -> None:
        blocking = self._new_poll()
        while True:
            blocking.poll()
            with self._lock:
                self._write_some()
                if not self._buffer:
                    self._writer = None
                    return

    def _new_poll(self) -> select.poll:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return poll

    def _drop(self, lines: int) -> None:
        self.dropped += lines
        self._unreported += lines


stdout = Stdout(1)
atexit.register(stdout.flush)
