"""The real process, started by its command of record, and a proxy to its backing services."""

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
from uuid import uuid4

import httpx

COMMAND = [sys.executable, "-m", "{{ cookiecutter.package_name }}"]
PATIENCE = float(os.environ.get("PATIENCE_SECONDS", "20"))
"""Seconds after which a test gives up on what should take a fraction of one."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares each request to read whom the world trusts, which takes longer than all the rest of it."""


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the service to its end, with this environment and nothing else."""
    command, env = [*COMMAND, *arguments], dict(environment)
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str], stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own; kill it in the end, if it is still there."""
    with subprocess.Popen(
        command, env=dict(environment), stdout=stdout, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Service:
    """A running process; as a context manager it is killed at the end, if it is still there."""

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
            with suppress(ValueError):  # What is no event is for those to judge who read the lines.
                self._events.put(json.loads(line))

    def wait_for(self, event: str, **fields: object) -> dict[str, Any]:
        """Return the next log line of this event and these fields, skipping others."""
        while True:
            line = self._events.get(timeout=PATIENCE)
            if line["event"] == event and fields.items() <= line.items():
                return line

    def get(self, path: str) -> httpx.Response:
        """Ask on a connection of its own."""
        return fetch(self.url + path)

    def skip_lines(self) -> None:
        """Let `wait_for` begin with what is said from now on."""
        mark = uuid4().hex
        fetch(f"{self.url}/livez", headers={"X-Request-ID": mark})
        self.wait_for("request", request_id=mark)

    def terminate(self) -> None:
        """Ask it to stop, as a platform does."""
        self.process.terminate()

    def wait(self) -> int:
        """Wait until it has ended and all that it said is read; return its exit status."""
        status = self.process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        return status

    def stderr(self) -> bytes:
        """Return what an ended process wrote where it should write nothing."""
        assert self.process.stderr
        return self.process.stderr.read()


def resident_bytes(pid: int) -> int:
    """Return how much memory a process has."""
    return 1024 * int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)]))  # noqa: S607


def free_ports() -> dict[str, str]:
    """Return variables that name ports on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("", 0)) as metrics:
        ports = {"PORT": web.getsockname()[1], "METRICS_PORT": metrics.getsockname()[1]}
        return {name: str(port) for name, port in ports.items()}


def path_only() -> dict[str, str]:
    """Return an environment with nothing in it that is not needed to start any process."""
    return {"PATH": os.environ["PATH"]}


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again until it is so, and leave the processor to others in between."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


def fetch(url: str, method: str = "GET", **options: Any) -> httpx.Response:
    """Ask on a connection of its own."""
    return httpx.request(method, url, timeout=PATIENCE, verify=NO_TLS, **options)


def connect(service: Service, sent: bytes) -> socket.socket:
    """Open a connection of our own and send these bytes on it."""
    address = httpx.URL(service.url)
    connection = socket.create_connection((address.host, address.port), timeout=PATIENCE)
    connection.sendall(sent)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Read until the service closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def assert_stops(service: Service) -> None:
    """Stop it: it exits by itself, with status 0 and without a word on stderr."""
    service.terminate()
    assert service.wait() == 0
    assert service.stderr() == b""


def assert_second_signal_stops(service: Service, second: signal.Signals = signal.SIGTERM) -> None:
    """Stop it twice: it drains and reports it, then exits at once."""
    service.terminate()
    service.wait_for("draining")
    ready = service.get("/readyz")
    assert (ready.status_code, ready.headers["connection"]) == (503, "close")
    service.process.send_signal(second)
    assert service.wait() == 128 + second
    assert service.stderr() == b""


class Proxy:
    """Passes bytes between `port` and a server, in its own thread; can be cut and frozen."""

    def __init__(self, server: tuple[str, int] | str) -> None:
        """Take the server's host and port, or the path of its Unix socket."""
        self.port = 0
        self._server = server
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
        """Let connections in, always on the same port."""
        self._run(self._open())

    def cut(self) -> None:
        """Refuse new connections and drop those that there are, as a server does that is killed."""
        self._run(self._cut())

    def freeze(self) -> None:
        """Accept everything and answer nothing, as a server does that is stopped."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def thaw(self) -> None:
        """Pass on what was held back, and all that follows."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        """End it."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _open(self) -> None:
        self._is_cut = False
        self._listener = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        self._is_cut = True
        if self._listener:
            # A connection accepted in the iteration of the loop in which its server closes is never
            # closed: asyncio loses it. So the proxy stops accepting one iteration earlier.
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
            if isinstance(self._server, str):
                server_reader, server_writer = await asyncio.open_unix_connection(self._server)
            else:
                server_reader, server_writer = await asyncio.open_connection(*self._server)
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
