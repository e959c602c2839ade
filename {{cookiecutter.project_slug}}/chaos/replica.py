"""Replicas of the service, and what they take of the machine."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

from tests.support.service import TIMEOUT, Service, free_ports, until

MEGABYTE = 1_000_000
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="what a process takes is read in /proc"
)


class Replica(Service):
    """A process under load: of its log, the lines of requests are read and forgotten."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(environment)
        self.port = int(environment["PORT"])

    def __enter__(self) -> Self:
        super().__enter__()
        until(lambda: self.get("/readyz").status_code == 200)
        return self

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if b'"event":"request"' not in line:
                self.lines.append(line)
                self._events.put(json.loads(line))

    def memory(self) -> float:
        """Return its resident memory, in megabytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE

    def descriptors(self) -> int:
        """Return how many files and connections it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    async def descriptors_below(self, most: int) -> int:
        """Give it time to have no more of them than that; return how many it has then."""
        for _ in range(int(TIMEOUT * 10)):
            if self.descriptors() <= most:
                break
            await asyncio.sleep(0.1)
        return self.descriptors()

    async def end(self) -> int:
        """Wait for its end, which somebody asked it for; return its exit status."""
        return await asyncio.to_thread(self.wait)


@asynccontextmanager
async def replica(environment: Mapping[str, str]) -> AsyncIterator[Replica]:
    """Run one more replica, on ports of its own, from when it is ready."""
    running = Replica({**environment, **free_ports()})
    try:
        yield await asyncio.to_thread(running.__enter__)
    finally:
        running.__exit__()
