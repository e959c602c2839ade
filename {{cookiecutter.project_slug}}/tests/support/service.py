"""The service as a real process, clients of it, and a proxy before a backing service."""

import asyncio
import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any, Self

import httpx

COMMAND = [sys.executable, "-m", "{{ cookiecutter.package_name }}"]
TIMEOUT = float(os.environ.get("TEST_TIMEOUT_SECONDS", "20"))
"""Seconds after which a test fails instead of waiting; everything takes a fraction of one."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Saves each client from loading the CA certificates, which takes longer than a request."""
for name in ("NO_PROXY", "no_proxy"):  # Clients connect to local processes directly.
    os.environ[name] = f"{os.environ.get(name, '')},127.0.0.1".strip(",")


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the service to completion in exactly this environment."""
    command, env = [*COMMAND, *arguments], dict(environment)
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str], stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a separate session; kill it at the end if it is still running."""
    with subprocess.Popen(
        command, env=dict(environment), stdout=stdout, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Service:
    """A running process; the context manager waits until it listens and kills it at the end."""

    command = "web"

    def __init__(self, environment: Mapping[str, str], command: str | None = None) -> None:
        self.url = f"http://127.0.0.1:{environment['PORT']}"
        self.metrics_url = f"http://127.0.0.1:{environment['METRICS_PORT']}/metrics"
        self.lines: list[bytes] = []
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.process = subprocess.Popen(
            [*COMMAND, command or self.command],
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        try:
            self.wait_for("listening")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            with suppress(ValueError):  # Tests of the log format look at `lines`.
                self._events.put(json.loads(line))

    def wait_for(self, event: str, **fields: object) -> dict[str, Any]:
        """Return the next log line with this event and these fields, skipping others."""
        while True:
            line = self._events.get(timeout=TIMEOUT)
            if line["event"] == event and fields.items() <= line.items():
                return line

    def get(self, path: str) -> httpx.Response:
        """Send a GET request on a new connection."""
        return fetch(self.url + path)

    def terminate(self) -> None:
        """Send SIGTERM, as a platform does."""
        self.process.terminate()

    def wait(self) -> int:
        """Wait for the exit and the last log line; return the exit status."""
        status = self.process.wait(timeout=TIMEOUT)
        self._reader.join(timeout=TIMEOUT)
        return status

    def stderr(self) -> bytes:
        """Return the standard error of a process that has exited."""
        assert self.process.stderr
        return self.process.stderr.read()


def free_ports() -> dict[str, str]:
    """Return variables with ports on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("", 0)) as metrics:
        ports = {"PORT": web.getsockname()[1], "METRICS_PORT": metrics.getsockname()[1]}
        return {name: str(port) for name, port in ports.items()}


def path_only() -> dict[str, str]:
    """Return the smallest environment in which a process starts."""
    return {"PATH": os.environ["PATH"]}


def until(condition: Callable[[], bool]) -> None:
    """Poll a condition until it holds."""
    end = monotonic() + TIMEOUT
    while not condition():
        assert monotonic() < end
        sleep(0.01)


def fetch(url: str, method: str = "GET", **options: Any) -> httpx.Response:
    """Send a request on a new connection."""
    return httpx.request(method, url, timeout=TIMEOUT, verify=NO_TLS, **options)


def connect(service: Service, sent: bytes) -> socket.socket:
    """Open a connection to the service and send these bytes."""
    address = httpx.URL(service.url)
    connection = socket.create_connection((address.host, address.port), timeout=TIMEOUT)
    connection.sendall(sent)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Read until the service closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def assert_stops(service: Service) -> None:
    """Check that SIGTERM ends the process with status 0 and nothing on stderr."""
    service.terminate()
    assert service.wait() == 0
    assert service.stderr() == b""


def assert_second_signal_stops(service: Service, second: signal.Signals = signal.SIGTERM) -> None:
    """Check that a second signal ends a process that drains."""
    service.terminate()
    service.wait_for("draining")
    ready = service.get("/readyz")
    assert (ready.status_code, ready.headers["connection"]) == (503, "close")
    service.process.send_signal(second)
    assert service.wait() == 128 + second
    assert service.stderr() == b""


class Proxy:
    """A TCP proxy between `port` and a server, in its own thread; simulates outages."""

    def __init__(self, server: tuple[str, int] | str) -> None:
        """Open a proxy to a server, given by host and port or by the path of its Unix socket."""
        self.port = 0
        self.server = server
        """Where new connections lead to."""
        self._listener: asyncio.Server | None = None
        self._is_cut = False
        self._passing: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._flowing = asyncio.Event()
        self.thaw()
        self.open()

    def open(self) -> None:
        """Accept connections, always on the same port."""
        self._run(self._open())

    def cut(self) -> None:
        """Reset all connections and accept no more, like a crashed server."""
        self._run(self._cut())

    def freeze(self) -> None:
        """Accept connections but pass nothing on, like a server that hangs."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def thaw(self) -> None:
        """Pass on the bytes that were held back, and all that follow."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        """Reset all connections and end the thread."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    async def _open(self) -> None:
        self._is_cut = False
        self._listener = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        self._is_cut = True
        if self._listener:
            # asyncio never closes a connection that it accepts in the same iteration of the loop
            # in which the server closes. So the proxy stops accepting one iteration earlier.
            for listening in self._listener.sockets:
                self._loop.remove_reader(listening.fileno())
            await asyncio.sleep(0)
            self._listener.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)
        try:
            if self._is_cut:
                return
            if isinstance(self.server, str):
                server_reader, server_writer = await asyncio.open_unix_connection(self.server)
            else:
                server_reader, server_writer = await asyncio.open_connection(*self.server)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, server_writer))
                    group.create_task(self._pump(server_reader, writer))
            finally:
                server_writer.transport.abort()
        finally:
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
