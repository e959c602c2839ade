"""Imported before everything else: handles SIGTERM and pauses garbage collection meanwhile."""

import gc
import os
import signal

# A closed standard stream would hand its number, and all log lines, to the next connection.
for descriptor in range(3):
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDWR)
# Until a command installs its own handler, SIGTERM exits at once; PID 1 would ignore it.
signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
# Imports create no garbage, but collection would take a tenth of the start-up time.
gc.disable()


def complete() -> None:
    """Resume garbage collection, which skips everything that was imported."""
    gc.freeze()
    gc.enable()
