"""A PostgreSQL primary and its standby, which change roles behind one URL."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed

from .running import until
from .servers import PostgresServer

BINDIR = "SELECT setting FROM pg_config WHERE name = 'BINDIR'"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"


class Node:
    """A server with a copy of the data of another one, as its standby or on its own."""

    def __init__(self, folder: Path, source: str, programs: str, owner: str, *options: str) -> None:
        self.folder = folder
        self.url = f"postgresql:///postgres?user=postgres&host={folder}"
        self._programs, self._owner = programs, owner
        folder.mkdir()
        shutil.chown(folder, owner)
        self._run("pg_basebackup", "--dbname", source, "--checkpoint=fast", *options)
        self.start()

    def start(self) -> None:
        options = f"-h '' -k {self.folder}"
        self._run("pg_ctl", "start", "--wait", "-l", f"{self.folder}/log", "-o", options)

    def stop(self) -> None:
        """Stop the server once the standby has received all changes."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")

    def execute(self, query: SQL | Composed) -> tuple[object, ...] | None:
        """Return the first row, if any."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchone() if cursor.description else None

    def demote(self, successor: "Node") -> None:
        """Restart as a standby of a server that is going to be promoted."""
        until(lambda: self.execute(SQL(STREAMING)) == (1,))
        query = "ALTER SYSTEM SET primary_conninfo = {}"
        self.execute(SQL(query).format(successor.url))
        self.stop()
        signal = self.folder / "data" / "standby.signal"
        signal.touch()
        shutil.chown(signal, self._owner)
        self.start()

    def promote(self) -> None:
        assert self.execute(SQL("SELECT pg_promote()")) == (True,)

    def _run(self, program: str, *arguments: str) -> None:
        data = f"{self.folder}/data"
        command = [f"{self._programs}/{program}", "--pgdata", data, *arguments]
        # PostgreSQL rejects root.
        subprocess.run(command, user=self._owner, cwd=self.folder, capture_output=True, check=True)


class Endpoint:
    """A host of URLs that stands for one of several servers, as a name in DNS does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"postgresql:///postgres?user=postgres&host={path}"

    def move(self, node: Node) -> None:
        """Lead new connections to this server."""
        self._path.unlink(missing_ok=True)
        self._path.symlink_to(node.folder)


@contextmanager
def replicated(server: PostgresServer) -> Iterator[tuple[Node, Node, Endpoint]]:
    """Copy a server to a primary with a standby; yield both, and an endpoint at the primary."""
    with psycopg.connect(server.url) as connection:
        ((programs,),) = connection.execute(BINDIR).fetchall()
    owner = Path(str(conninfo_to_dict(server.url)["host"])).owner()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        primary = Node(Path(folder, "first"), server.url, programs, owner)
        stack.callback(primary.stop)
        standby = Node(
            Path(folder, "second"), primary.url, programs, owner, "--write-recovery-conf"
        )
        stack.callback(standby.stop)
        endpoint = Endpoint(Path(folder, "endpoint"))
        endpoint.move(primary)
        yield primary, standby, endpoint
