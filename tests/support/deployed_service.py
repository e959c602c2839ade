"""A rendered service that is deployed to the cluster of this machine by `make deploy`."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import commands
from .kubernetes_cluster import CLIENT, Object, exclusively, get, kubectl, terminates, until

LOAD = Path(__file__).with_name("cluster_load.py")
CLIENTS, REQUESTS = 12, 10_000
FEW_CLIENTS, FEW_REQUESTS = 4, 1_000
LIMIT_SECONDS = 180
REQUEST = """
import json, sys, urllib.error, urllib.request
url, method, body = sys.argv[1:]
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(url, body.encode() or None, headers, method=method)
try:
    response = urllib.request.urlopen(request, timeout=10)
    print(json.dumps([response.status, json.load(response)]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, json.load(error)]))
except OSError as error:
    print(json.dumps([0, str(error)]))
"""
POLL = """
import sys, time, urllib.error, urllib.request
url, last, end, statuses = sys.argv[1], int(sys.argv[2]), time.monotonic() + 60, []
while time.monotonic() < end and last not in statuses:
    try:
        status = urllib.request.urlopen(url, timeout=10).status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    if status not in statuses:
        statuses.append(status)
        print(status, flush=True)
    time.sleep(0.1)  # The interval of the poll: a client is not notified.
"""
DATABASES = ("postgres", "mongodb")


@dataclass
class Load:
    """Measurements of requests that were sent to a service."""

    least: int
    result: dict[str, Any] = field(default_factory=dict)

    def assert_none_failed(self) -> None:
        assert self.result["failed"] == 0, self.result["failures"]
        assert self.result["requests"] >= self.least


@dataclass
class Deployed:
    """A service in the namespace of its local overlay."""

    variant: str
    folder: Path
    measurements: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def namespace(self) -> str:
        return f"{self.name}-local"

    @property
    def components(self) -> list[str]:
        """Long-running processes."""
        return [c for c in ("web", "worker") if (self.folder / f"deploy/base/{c}.yaml").exists()]

    @property
    def database(self) -> str:
        overlay = self.folder / "deploy/overlays/local"
        (found,) = (name for name in DATABASES if (overlay / f"{name}.yaml").exists())
        return found

    def make(self, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return commands.make(self.folder, *targets, **variables)

    def must_make(self, *targets: str, **variables: str) -> str:
        done = self.make(*targets, **variables)
        assert done.returncode == 0, f"{targets}\n{done.stdout}{done.stderr}"
        return done.stdout

    def deploy(self, revision: str) -> str:
        """Build an image of a revision, and deploy it to the local overlay."""
        self.must_make("image", REVISION=revision)
        return self.must_make("deploy", OVERLAY="local", REVISION=revision)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return kubectl(f"--namespace={self.namespace}", *arguments, stdin=stdin)

    def get(self, *arguments: str) -> list[Object]:
        return get(f"--namespace={self.namespace}", *arguments)

    def pods(self, component: str) -> list[Object]:
        """Return the pods of a component that are not being deleted."""
        found = self.get("pods", f"--selector=app.kubernetes.io/component={component}")
        return [pod for pod in found if not terminates(pod)]

    def ready(self, component: str = "web") -> list[Object]:
        return [pod for pod in self.pods(component) if is_ready(pod)]

    def request(self, method: str, path: str, body: str = "") -> tuple[int, Any]:
        """Send a request to the Service, as the ingress controller does; 0 means no response."""
        url = f"http://{self.name}-web.{self.namespace}{path}"
        run = ["exec", CLIENT, "--", "python", "-c", REQUEST, url, method, body]
        status, text = json.loads(kubectl("--namespace=ingress", *run))
        return status, text

    def statuses(self, path: str, last: int) -> Iterator[int]:
        """Repeat a request until it has the last status; yield each new status at once."""
        url = f"http://{self.name}-web.{self.namespace}{path}"
        run = ["exec", CLIENT, "--", "python", "-c", POLL, url, str(last)]
        command = ["kubectl", "--namespace=ingress", *run]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            yield from map(int, process.stdout)

    def place_order(self) -> str:
        status, order = self.request("POST", "/orders", '{"item": "apple", "quantity": 1}')
        assert status == 201, order
        return str(order["id"])

    @contextmanager
    def load(self, what: str) -> Iterator[Load]:
        """Send requests while the block runs, at least `REQUESTS`, and record the measurements.

        One service at a time is under load, so that the measurements are comparable.
        """
        with exclusively(), self.light_load(what, CLIENTS, REQUESTS) as load:
            yield load

    @contextmanager
    def light_load(
        self, what: str, clients: int = FEW_CLIENTS, requests: int = FEW_REQUESTS
    ) -> Iterator[Load]:
        """Send fewer requests while the block runs, and record the measurements."""
        run = ["exec", "--stdin", CLIENT, "--", "python", "-c", LOAD.read_text()]
        # An ingress controller does not resolve a name for each request either.
        host = self.get(f"service/{self.name}-web")[0]["spec"]["clusterIP"]
        # The stand-in for MongoDB reads all orders to find one.
        period = {"postgres": 20, "mongodb": 400}[self.database]
        numbers = map(str, (clients, requests, period))
        load, begun = Load(requests), time.monotonic()
        with subprocess.Popen(
            ["kubectl", "--namespace=ingress", *run, host, *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield load
                seconds = round(time.monotonic() - begun, 1)
                load.result = json.loads(process.communicate(timeout=LIMIT_SECONDS)[0])
            finally:
                process.kill()
        self.measurements.append(
            {"variant": self.variant, "what": what, "took": seconds} | load.result
        )

    def until_ready(self, replicas: int, component: str = "web") -> None:
        """Wait until exactly this number of pods runs, all ready."""
        until(
            lambda: [is_ready(pod) for pod in self.pods(component)],
            lambda found: found == [True] * replicas,
            LIMIT_SECONDS,
        )

    def until_stopped(self, component: str = "web") -> None:
        """Wait until no pod is being deleted."""
        selector = f"--selector=app.kubernetes.io/component={component}"
        until(
            lambda: [pod for pod in self.get("pods", selector) if terminates(pod)],
            lambda found: found == [],
        )


def group_of_service(variant: str) -> str:
    """Return the group of variants that one process tests; both groups take about as long."""
    return "plain" if variant == "plain" else "others"


def is_ready(pod: Object) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


def restarts(pods: list[Object]) -> int:
    containers = (status for pod in pods for status in pod["status"]["containerStatuses"])
    return sum(status["restartCount"] for status in containers)
