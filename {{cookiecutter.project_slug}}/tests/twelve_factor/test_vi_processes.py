"""VI. Processes: they share nothing; what outlasts a request is kept by a backing service."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from ..support.service import TIMEOUT, Service, free_ports
from .project import ROOT, readable_paths, resource
from .report import Measure

REQUESTS = 200
OTHERS = {".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".reports", ".dev"}
"""Folders that belong to tools, which may be at work at the same time."""


def replicas(stack: ExitStack, environment: dict[str, str], count: int) -> list[Service]:
    """Start processes that differ in their ports alone."""
    return [stack.enter_context(Service(environment | free_ports())) for _ in range(count)]


def test_what_one_replica_stores_every_other_finds_and_deletes(
    environment: dict[str, str], measure: Measure
) -> None:
    made = resource()
    with ExitStack() as stack:
        one, other = replicas(stack, environment, 2)
        for _ in range(10):
            path = made.create(one.url)
            assert other.get(path).status_code == 200
            assert one.get(path).status_code == 200
            assert httpx.delete(f"{other.url}{path}", timeout=TIMEOUT).status_code == 204
            assert one.get(path).status_code == 404
    measure("journeys", 10, "over 2 replicas")


def test_what_was_acknowledged_outlasts_a_kill(
    environment: dict[str, str], measure: Measure
) -> None:
    made = resource()
    acknowledged = []
    for _ in range(3):
        with Service(environment) as service:
            with ThreadPoolExecutor(4) as threads:
                acknowledged += list(threads.map(made.create, [service.url] * 20))
            service.process.kill()
    with Service(environment) as service:
        lost = [path for path in acknowledged if service.get(path).status_code != 200]
    measure("acknowledged", len(acknowledged), "writes over 3 kills", at_least=60)
    measure("lost", len(lost), "writes", at_most=0)


def test_replicas_need_no_sticky_sessions(environment: dict[str, str]) -> None:
    with ExitStack() as stack:
        running = replicas(stack, environment, 2)
        answers = [service.get(path) for service, path in zip(cycle(running), readable_paths() * 2)]
    assert {answer.status_code for answer in answers} == {200}
    assert not [answer.headers for answer in answers if "set-cookie" in answer.headers]


def files_below(*folders: Path) -> dict[Path, tuple[int, int]]:
    """Return every file with its size and its time of change."""
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for folder in folders
        for path in folder.rglob("*")
        if not OTHERS.intersection(path.parts) and path.is_file()
    }


def test_nothing_is_written_but_below_the_temporary_directory(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    measure: Measure,
) -> None:
    home, work, temporary = (tmp_path / name for name in ("home", "work", "temporary"))
    for folder in (home, work, temporary):
        folder.mkdir()
    monkeypatch.chdir(work)
    places = {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    before = files_below(ROOT, home, work)
    with Service(environment | places) as service, httpx.Client(base_url=service.url) as client:
        for _, path in zip(range(REQUESTS), cycle([*readable_paths(), "/no/such/path"])):
            client.get(path)
        service.terminate()
        assert service.wait() == 0
    measure("watched", len(before), "files", at_least=20)
    assert files_below(ROOT, home, work) == before
