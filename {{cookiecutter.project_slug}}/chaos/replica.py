"""Replicas of the service, with their memory and open files."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

import psutil

from tests.support.service import TIMEOUT, Service, free_ports, until

MEGABYTE = 1_000_000


class Replica(Service):
    """A process under load, which does not keep the log records of its requests."""

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
        """Return the resident memory in megabytes."""
        return psutil.Process(self.process.pid).memory_info().rss / MEGABYTE

    def descriptors(self) -> int:
        """Return the number of open files and connections."""
        return psutil.Process(self.process.pid).num_fds()

    async def descriptors_within(self, limit: int) -> int:
        """Wait until the number of descriptors is within the limit, or a timeout; return it."""
        for _ in range(int(TIMEOUT * 10)):
            if self.descriptors() <= limit:
                break
            await asyncio.sleep(0.1)
        return self.descriptors()

    async def exited(self) -> int:
        """Wait until the process has exited; return its exit code."""
        return await asyncio.to_thread(self.wait)


@asynccontextmanager
async def replica(environment: Mapping[str, str], **ports: str) -> AsyncIterator[Replica]:
    """Run a replica from when it is ready, on free ports unless they are given."""
    running = Replica({**environment, **(ports or free_ports())})
    try:
        yield await asyncio.to_thread(running.__enter__)
    finally:
        running.__exit__()
