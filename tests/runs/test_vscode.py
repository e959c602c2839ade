"""The files of `vscode=yes`: their members, and the processes that the debugger starts."""

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.baking import Baker
from tests.support.running import TIMEOUT_SECONDS, free_ports, install

TEXT, TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
EXTENSIONS = TEXTS | {"items": {"pattern": r"^[a-z0-9-]+\.[a-z0-9-]+$"}}


def members(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in ("env", "envFile")],
        "additionalProperties": False,
    }


CONFIGURATION = members(
    name=TEXT,
    type={"const": "debugpy"},
    request={"const": "launch"},
    module=TEXT,
    args=TEXTS,
    cwd={"const": "${workspaceFolder}"},
    envFile={"const": "${workspaceFolder}/.env"},
    env={"type": "object", "additionalProperties": TEXT},
)
SCHEMAS = {
    ".devcontainer/devcontainer.json": members(
        name=TEXT,
        image={"pattern": r"^python:3\.\d+$"},
        postCreateCommand={"const": "make setup"},
        forwardPorts={"const": [8000, 9090]},
        customizations=members(vscode=members(extensions=EXTENSIONS, settings={"type": "object"})),
    ),
    ".vscode/extensions.json": members(recommendations=EXTENSIONS),
    ".vscode/launch.json": members(
        version={"const": "0.2.0"},
        configurations={"type": "array", "items": CONFIGURATION},
    ),
}
"""The members that the files use; no package of the published schemas works without a network."""


def load(service: Path, path: str) -> Any:
    return json.loads((service / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("worker", [False, True])
def test_the_files_have_the_members_that_the_editor_reads(baker: Baker, worker: bool) -> None:
    service = baker.bake(vscode=True, worker=worker)
    for path, schema in SCHEMAS.items():
        errors = Draft202012Validator(schema).iter_errors(load(service, path))
        assert [f"{path}: {error.json_path}: {error.message}" for error in errors] == []
    container = load(service, ".devcontainer/devcontainer.json")
    version = (service / ".python-version").read_text().strip()
    assert container["image"] == f"python:{version}"
    extensions = load(service, ".vscode/extensions.json")["recommendations"]
    assert container["customizations"]["vscode"]["extensions"] == extensions
    names = [each["name"] for each in load(service, ".vscode/launch.json")["configurations"]]
    assert names == ["web", *["worker"] * worker, "test (select its name)"]


@pytest.mark.slow
def test_each_configuration_starts(baker: Baker) -> None:
    service = install(baker.bake(vscode=True, worker=True))
    dotenv = (service.folder / ".env").read_text()
    variables = dict(re.findall(r"^(\w+)=(.*)$", dotenv, re.MULTILINE))
    for each in load(service.folder, ".vscode/launch.json")["configurations"]:
        port, metrics_port = map(str, free_ports(2))
        settings = variables | each.get("env", {}) | {"PORT": port, "METRICS_PORT": metrics_port}
        editor = {"${file}": "tests/orders/test_orders.py", "${selectedText}": "newest_first"}
        command = [service.python, "-m", each["module"], *(editor.get(a, a) for a in each["args"])]
        with subprocess.Popen(
            command,
            cwd=service.folder,
            env=service.environment() | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout
            try:
                if each["module"] == "pytest":
                    assert "1 passed" in process.communicate(timeout=TIMEOUT_SECONDS)[0]
                    continue
                assert any("listening" in line for line in process.stdout), each["name"]
                url = f"http://127.0.0.1:{metrics_port if each['name'] == 'worker' else port}"
                ready = httpx.get(f"{url}/readyz", timeout=TIMEOUT_SECONDS)
                assert ready.status_code == 200, each["name"]
                os.killpg(process.pid, signal.SIGINT)
                process.communicate(timeout=TIMEOUT_SECONDS)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
