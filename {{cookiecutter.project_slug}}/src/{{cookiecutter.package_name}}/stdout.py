"""Standard output that keeps nobody waiting: what its reader does not take waits, or is lost."""

import atexit
import os
import select
import threading
from collections.abc import Callable
from time import monotonic

ROOM = 4 * 1024 * 1024
"""Bytes of lines that wait for the reader; a line for which there is no room is dropped."""
FAREWELL_SECONDS = 1
"""How long a process that ends waits for the reader."""


class Stdout:
    """What structlog calls a logger: it writes whole lines, in order, from any thread.

    A pipe that has any room takes `PIPE_BUF` bytes without blocking, so no more are written at
    once, and none before it was asked. `O_NONBLOCK` would change it for all who share the pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self.dropped = 0
        self.tell_of_drops: Callable[[int], None] = lambda _: None
        """Called with the number of lines that were dropped, once lines can be written again."""
        self._untold = 0
        self._descriptor = descriptor
        self._ask = select.poll()
        self._ask.register(descriptor, select.POLLOUT)
        self._lock = threading.RLock()
        self._waiting = bytearray()
        self._writer: threading.Thread | None = None

    def msg(self, line: bytes) -> None:
        """Write `line`, or keep it until that is possible."""
        line += b"\n"
        with self._lock:
            try:
                written = 0 if self._waiting else self._write(line)
            except OSError:  # Nobody reads any more, or the disk is full.
                self._drop(1)
                return
            if written == len(line):
                self._tell_of_drops()
            elif written or len(self._waiting) + len(line) <= ROOM:
                self._wait(line[written:])
            else:
                self._drop(1)

    debug = info = warning = error = critical = msg

    def flush(self) -> None:
        """Wait until all is written, but not for long."""
        end = monotonic() + FAREWELL_SECONDS
        while (writer := self._writer) and (left := end - monotonic()) > 0:
            writer.join(left)

    def _write(self, lines: bytes) -> int:
        """Write what can be written without waiting; return how many bytes that were."""
        written = 0
        while written < len(lines) and self._ask.poll(0):
            try:
                written += os.write(self._descriptor, lines[written : written + select.PIPE_BUF])
            except BlockingIOError:  # Another process has made it so.
                break
        return written

    def _wait(self, rest: bytes) -> None:
        self._waiting += rest
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_what_waits, daemon=True)
            self._writer.start()

    def _write_what_waits(self) -> None:
        patient = select.poll()
        patient.register(self._descriptor, select.POLLOUT)
        while True:
            patient.poll()
            with self._lock:
                try:
                    del self._waiting[: self._write(bytes(self._waiting[: select.PIPE_BUF]))]
                except OSError:
                    self._drop(self._waiting.count(b"\n"))
                    self._waiting.clear()
                if not self._waiting:
                    self._writer = None
                    self._tell_of_drops()
                    return

    def _drop(self, lines: int) -> None:
        self.dropped += lines
        self._untold += lines

    def _tell_of_drops(self) -> None:
        if self._untold:
            lines, self._untold = self._untold, 0
            self.tell_of_drops(lines)


stdout = Stdout(1)
atexit.register(stdout.flush)
