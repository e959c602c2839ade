"""VI. Processes: stateless and share-nothing; data is stored in a backing service."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from ..support.service import Service, assert_stops, fetch, free_ports
from .project import ROOT, example_resource, get_paths, git, operations
from .report import Measure

REQUESTS = 200
TOOL_FOLDERS = {".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".reports", ".dev"}
"""Folders of tools, which may write to them during the test."""


def replicas(stack: ExitStack, environment: dict[str, str], count: int) -> list[Service]:
    """Start processes that differ only in their ports."""
    return [stack.enter_context(Service(environment | free_ports())) for _ in range(count)]


def test_replicas_share_resources(environment: dict[str, str], measure: Measure) -> None:
    resource = example_resource()
    deletable = any(method == "delete" for method, path in operations() if resource.path in path)
    with ExitStack() as stack:
        one, other = replicas(stack, environment, 2)
        for _ in range(10):
            path = resource.create(one.url)
            assert other.get(path).status_code == 200
            assert one.get(path).status_code == 200
            if deletable:
                assert fetch(other.url + path, "DELETE").status_code == 204
                assert one.get(path).status_code == 404
    measure("created and read across 2 replicas", 10, "resources")


def test_acknowledged_writes_survive_a_kill(environment: dict[str, str], measure: Measure) -> None:
    resource = example_resource()
    acknowledged = []
    for _ in range(3):
        with Service(environment) as service:
            with ThreadPoolExecutor(4) as threads:
                acknowledged += list(threads.map(resource.create, [service.url] * 20))
            service.process.kill()
    with Service(environment) as service:
        lost = [path for path in acknowledged if service.get(path).status_code != 200]
    measure("acknowledged before 3 kills", len(acknowledged), "writes", at_least=60)
    measure("lost", len(lost), "writes", at_most=0)


def test_clients_need_no_sticky_sessions(environment: dict[str, str]) -> None:
    with ExitStack() as stack:
        services = replicas(stack, environment, 2)
        responses = [service.get(path) for service, path in zip(cycle(services), get_paths() * 2)]
    assert {response.status_code for response in responses} == {200}
    assert not [response for response in responses if "set-cookie" in response.headers]


def files_in(*folders: Path) -> dict[Path, tuple[int, int]]:
    """Return the size and the modification time of every file."""
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for folder in folders
        for path in folder.rglob("*")
        if not TOOL_FOLDERS.intersection(path.parts) and path.is_file()
    }


def test_files_are_only_written_to_the_temporary_directory(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    measure: Measure,
) -> None:
    home, work, temporary = (tmp_path / name for name in ("home", "work", "temporary"))
    for folder in (home, work, temporary):
        folder.mkdir()
    monkeypatch.chdir(work)
    variables = {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    before, status = files_in(ROOT, home, work), git("status", "--porcelain")
    with Service(environment | variables) as service, httpx.Client(base_url=service.url) as client:
        for _, path in zip(range(REQUESTS), cycle([*get_paths(), "/no/such/path"])):
            client.get(path)
        assert_stops(service)
    measure("unchanged", len(before), "files", at_least=20)
    assert files_in(ROOT, home, work) == before
    assert git("status", "--porcelain") == status
