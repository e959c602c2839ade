"""The commands of a service's deploy/README.md."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.pythons import UV, outside

from .deployed_service import Deployed
from .kubernetes_cluster import create_namespace, kubectl

RELEASE = re.compile(r"registry\.example\.com/team/[a-z-]+@sha256:[0-9a-f]{64}")
DATABASE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "postgres", "labels": {"app": "postgres"}},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "postgres",
                "image": "postgres:18",
                "imagePullPolicy": "IfNotPresent",
                "env": [
                    {"name": "POSTGRES_USER", "value": "app"},
                    {"name": "POSTGRES_PASSWORD", "value": "password"},
                ],
                "readinessProbe": {
                    "exec": {"command": ["pg_isready", "--username=app", "--host=127.0.0.1"]},
                    "periodSeconds": 1,
                },
            }
        ],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "postgres"},
    "spec": {"selector": {"app": "postgres"}, "ports": [{"port": 5432}]},
}


@dataclass
class Guide:
    """The page and the output of its commands."""

    service: Deployed
    ci: dict[str, str]
    releases: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)

    def blocks(self) -> list[list[str]]:
        text = (self.service.folder / "deploy/README.md").read_text()
        found = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        return [[line for line in block.splitlines() if line] for block in found]

    def namespace(self, overlay: str) -> str:
        return f"{self.service.name}-{overlay}"

    def run(self, block: list[str]) -> None:
        """Run lines of the page; CI deploys to staging, an administrator does the rest."""
        name, script = self.service.name, "\n".join(block)
        script = RELEASE.sub(self.releases["one"], script)
        script = script.replace(f"https://{name}.staging.example.com", "http://localhost:8001")
        script = script.replace(f"https://{name}.example.com", "http://localhost:8002")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.service.folder,
            env=outside()
            | {"UV": UV, "REVISION": "one"}
            | (self.ci if "make deploy OVERLAY=staging" in script else {}),
            input="id\nexit\n",
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        self.outputs[script] = done.stdout

    def printed_by(self, words: str) -> str:
        (found,) = (output for script, output in self.outputs.items() if words in script)
        return found


def kubernetes_access() -> dict[str, str]:
    """Return the variables of a CI job that may deploy; its token is valid for an hour."""
    view = ["config", "view", "--minify", "--raw", "--flatten", "--output=json"]
    cluster = json.loads(kubectl(*view))["clusters"][0]["cluster"]
    create_namespace("ci")
    return {
        "CLUSTER_SERVER": cluster["server"],
        "CLUSTER_CA": cluster["certificate-authority-data"],
        "KUBERNETES_ID_TOKEN": kubectl("--namespace=ci", "create", "token", "default").strip(),
    }


@contextmanager
def repeated(*lines: str, cwd: Path) -> Iterator[None]:
    """Run commands that forward a port in the background, and again whenever they end."""
    processes = [
        subprocess.Popen(
            ["bash", "-c", f"while :; do {line}; sleep 0.5; done"],
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for line in lines
    ]
    try:
        yield
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
