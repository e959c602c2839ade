"""Send requests to a service until standard input is closed; print measurements as JSON.

    python cluster_load.py HOST CLIENTS REQUESTS PERIOD

Runs in a pod, with the standard library only. Sends at least this number of requests. Clients place
an order once per period, and read the last one and the version in between. Half of the
clients keep their connection; the others open one per request. Nothing is retried.
"""

import asyncio
import json
import sys
import time
import uuid
from collections import Counter, defaultdict
from itertools import count
from typing import Any

HOST = sys.argv[1]
CLIENTS, REQUESTS, PERIOD = map(int, sys.argv[2:])
TIMEOUT_SECONDS = 10
PAUSE_SECONDS = 0.015
"""Pause of a client between two requests, which leaves time to the processes under test."""
BODY = json.dumps({"item": "apple", "quantity": 1})


class Failure(Exception):  # noqa: N818  # It is counted, not raised to the caller.
    """A response that is not the expected one."""


class Client:
    """A client behind a proxy; it may keep its connection."""

    def __init__(self, address: str, *, keeps: bool) -> None:
        self._address = address
        self.state = ""
        self._keeps = keeps
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, expected: int, body: str = "") -> Any:
        """Send a request; return the body of the response."""
        self.state = "kept connection" if self._streams else "connecting"
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, 80)
            self.state = "new connection"
        reader, writer = self._streams
        fields = {"Host": HOST, "Content-Length": len(body), "Idempotency-Key": uuid.uuid4()}
        fields["X-Forwarded-For"] = self._address  # Each client has its rate limit.
        fields |= {"Content-Type": "application/json"} if body else {}
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
        writer.write(("\r\n".join(lines) + f"\r\n\r\n{body}").encode())
        status, *received = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
        headers = dict(line.split(": ", 1) for line in received if line)
        text = await reader.readexactly(int(headers["content-length"]))
        if not self._keeps or headers.get("connection") == "close":
            self.close()
        if int(status.split()[1]) != expected:
            raise Failure(f"{method} {path.split('/')[1]}: {status.split()[1]} {text.decode()}")
        return json.loads(text)

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


class Load:
    """All clients and their measurements."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._failures = Counter[str]()
        self._milliseconds: list[float] = []
        self._timeline: dict[int, Counter[str]] = defaultdict(Counter)

    async def run(self) -> dict[str, Any]:
        self._stop = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        clients = (Client(f"192.0.2.{n}", keeps=n % 2 == 0) for n in range(CLIENTS))
        await asyncio.gather(*(self._use(client) for client in clients))
        times = sorted(self._milliseconds)
        return {
            "requests": len(times),
            "failed": self._failures.total(),
            "failures": self._failures,
            "seconds": round(time.monotonic() - self._begun, 1),
            "p50": times[len(times) // 2],
            "p99": times[len(times) * 99 // 100],
            "timeline": [self._timeline[second] for second in range(max(self._timeline))],
        }

    async def _use(self, client: Client) -> None:
        order = ""
        for number in count():
            await asyncio.sleep(PAUSE_SECONDS)
            if self._stop.done() and len(self._milliseconds) >= REQUESTS:
                client.close()
                return
            if number % PERIOD == 0:
                placed = await self._measure(client.send("POST", "/orders", 201, BODY), client)
                order = placed["id"] if placed else order
            elif number % 4 == 1:
                version = await self._measure(client.send("GET", "/version", 200), client)
                self._timeline[self._second()][version["revision"] if version else "failed"] += 1
            elif order:
                await self._measure(client.send("GET", f"/orders/{order}", 200), client)

    def _second(self) -> int:
        return int(time.monotonic() - self._begun)

    async def _measure(self, response: Any, client: Client) -> Any:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await response
        except (Failure, OSError, EOFError, TimeoutError) as error:
            reason = (
                f"{type(error).__name__} {error}, {client.state}, after {begun - self._begun:.1f} s"
            )
            self._failures[reason] += 1
            client.close()
            await asyncio.sleep(0.1)
        finally:
            self._milliseconds.append(round((time.monotonic() - begun) * 1000, 1))
        return None


print(json.dumps(asyncio.run(Load().run())))
