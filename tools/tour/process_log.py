"""A pytest plugin for the checks of a service: it records processes and requests.

It is imported in the environment of the service, which has no packages of the template.
"""

import importlib
import json
import os
import time
from pathlib import Path
from typing import Any

import httpx

FILE = "TOUR_PROCESS_LOG"
"""The variable with the path of the file to write."""
READ_SECONDS = 2
"""To read the last lines of a killed process."""


class ProcessLog:
    """The processes that a check started, in order, and the requests of its clients."""

    def __init__(self) -> None:
        self.processes: list[Any] = []
        self.ends: dict[Any, float] = {}
        self.requests: list[dict[str, Any]] = []

    def observe_processes(self, service: Any) -> None:
        """Replace the methods that start and end a process."""
        start, end = service.__init__, service.__exit__

        def observed_start(this: Any, *arguments: Any, **options: Any) -> None:
            start(this, *arguments, **options)
            self.processes.append(this)

        def observed_end(this: Any, *error: object) -> None:
            this.process.kill()
            this._reader.join(READ_SECONDS)  # noqa: SLF001  # Else the last line may be lost.
            self.ends[this] = time.time()
            end(this, *error)

        service.__init__, service.__exit__ = observed_start, observed_end

    def observe_requests(self) -> None:
        """Replace the method of httpx that sends every request."""
        send = httpx.Client.send

        def observed_send(this: Any, request: httpx.Request, **options: Any) -> httpx.Response:
            __tracebackhide__ = True
            started = time.time()
            result: dict[str, Any] = {}
            try:
                response = send(this, request, **options)
                result = {"event": "request", "status": response.status_code}
            except httpx.HTTPError as error:
                result = {"event": type(error).__name__}
                raise
            finally:
                ended = time.time()
                self.requests.append(
                    {
                        "process": self.process_at(request.url.port),
                        "time": ended,
                        "method": request.method,
                        "path": request.url.path,
                        "duration_ms": round((ended - started) * 1000, 3),
                        **result,
                    }
                )
            return response

        httpx.Client.send = observed_send  # type: ignore[assignment,method-assign]

    def process_at(self, port: int | None) -> int | None:
        """Return the number of the newest process with this port."""
        ports = [httpx.URL(each.url).port for each in self.processes]
        return len(ports) - 1 - ports[::-1].index(port) if port in ports else None

    def pytest_collection_finish(self) -> None:
        """Begin when the tests are imported."""
        self.observe_processes(importlib.import_module("tests.support.service").Service)
        self.observe_requests()

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        processes = [
            {
                "command": each.process.args[-1],
                "lines": [line.decode(errors="replace") for line in each.lines],
                "status": each.process.returncode,
                "end": self.ends.get(each),
            }
            for each in self.processes
        ]
        made = json.dumps({"processes": processes, "requests": self.requests})
        Path(os.environ[FILE]).write_text(made, encoding="utf-8")


def pytest_configure(config: Any) -> None:
    """Register the plugin."""
    config.pluginmanager.register(ProcessLog())
