"""XII. Admin processes: only the command `migrate` changes the schema of the database."""

import json
import subprocess

from ..support.service import COMMAND, TIMEOUT, Service, run
from .project import not_applicable
from .report import Measure


def test_migrating_twice_changes_nothing(unmigrated_environment: dict[str, str]) -> None:
    first, second = (run(unmigrated_environment, "migrate") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    assert len(second.stdout.splitlines()) <= len(first.stdout.splitlines())


def test_several_migrations_may_run_at_once(
    unmigrated_environment: dict[str, str], measure: Measure
) -> None:
    running = [
        subprocess.Popen([*COMMAND, "migrate"], env=unmigrated_environment, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    outputs = [process.communicate(timeout=TIMEOUT * 3)[0] for process in running]
    failed = sum(process.returncode != 0 for process in running)
    measure("concurrent", len(running), "migrations")
    measure("failed", failed, "migrations", at_most=0)
    assert all(outputs)


def test_web_never_migrates_and_is_not_ready_without_a_schema(
    unmigrated_environment: dict[str, str],
) -> None:
    with Service(unmigrated_environment) as service:
        responses = [service.get("/readyz") for _ in range(2)]
    migrated = run(unmigrated_environment, "migrate")
    assert migrated.returncode == 0
    if not json.loads(migrated.stdout.splitlines()[-1])["schema"]:
        not_applicable("no schema yet")
    for response in responses:
        assert response.status_code == 503
        assert response.json()["checks"]["database"] != "ok"
    with Service(unmigrated_environment) as service:
        assert service.get("/readyz").status_code == 200
