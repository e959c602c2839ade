"""XII. Admin processes, of the database: who is told to changes the schema, and no one else."""

import json
import subprocess

from ..support.service import COMMAND, TIMEOUT, Service, run
from .report import Measure


def test_migrating_twice_is_as_good_as_once(unmigrated_environment: dict[str, str]) -> None:
    done = [run(unmigrated_environment, "migrate") for _ in range(2)]
    assert [each.returncode for each in done] == [0, 0], done
    assert len(done[1].stdout.splitlines()) <= len(done[0].stdout.splitlines())


def test_several_may_migrate_at_once(
    unmigrated_environment: dict[str, str], measure: Measure
) -> None:
    running = [
        subprocess.Popen([*COMMAND, "migrate"], env=unmigrated_environment, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    said = [process.communicate(timeout=TIMEOUT * 3)[0] for process in running]
    failed = sum(process.returncode != 0 for process in running)
    measure("at once", len(running), "migrations")
    measure("failed", failed, "migrations", at_most=0)
    assert all(said)


def test_web_never_migrates_and_says_what_it_misses(unmigrated_environment: dict[str, str]) -> None:
    with Service(unmigrated_environment) as service:
        for _ in range(2):
            answer = service.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["checks"]["database"] != "ok"
    assert run(unmigrated_environment, "migrate").returncode == 0
    with Service(unmigrated_environment) as service:
        assert service.get("/readyz").status_code == 200


def test_cleaning_up_ends_also_where_there_is_nothing_to_do(environment: dict[str, str]) -> None:
    for _ in range(2):
        done = run(environment, "cleanup", "--older-than-days", "1")
        assert done.returncode == 0
        (line,) = done.stdout.splitlines()
        assert json.loads(line)["event"] == "old orders deleted"
