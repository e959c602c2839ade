"""Backups of PostgreSQL: in Compose by make targets, elsewhere by the documented commands."""

import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.commands import make
from tests.support.containers import Run, only_default
from tests.support.needs import needs_docker

pytestmark = [*needs_docker, pytest.mark.xdist_group("containers"), only_default]


@pytest.fixture
def order(up: str) -> str:
    """Place an order; return its URL."""
    return place(up)


def place(up: str) -> str:
    return up + httpx.post(f"{up}/orders", json={"item": "tea", "quantity": 1}).headers["Location"]


@pytest.fixture
def backup(service: Path, order: str, tmp_path: Path) -> Path:
    """Return a backup that has `order`."""
    del order
    file = tmp_path / "backup.dump"
    done = make(service, "backup", f"FILE={file}")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return file


def test_a_deleted_order_is_restored_and_a_new_one_is_gone(
    service: Path, compose: Run, up: str, order: str, backup: Path
) -> None:
    assert httpx.delete(order).status_code == 204
    new = place(up)
    done = make(service, "restore", f"FILE={backup}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [httpx.get(url).status_code for url in (order, new)] == [200, 404]
    assert "database migrated" in compose("run", "--rm", "-T", "--no-deps", "web", "migrate")


def test_an_incomplete_backup_changes_nothing(
    service: Path, up: str, order: str, backup: Path
) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content[:-30])  # The end of the data; the schema is whole.
    assert httpx.delete(order).status_code == 204
    new = place(up)
    done = make(service, "restore", f"FILE={backup}")
    assert done.returncode != 0
    assert "end of file" in done.stderr
    assert [httpx.get(url).status_code for url in (order, new)] == [404, 200]


def test_a_missing_backup_is_named(service: Path, up: str) -> None:
    del up
    done = make(service, "restore", "FILE=no-such.dump")
    assert done.returncode != 0
    assert "no-such.dump" in done.stderr.splitlines()[0]


def test_a_failed_backup_keeps_the_previous_one(
    service: Path, compose: Run, up: str, backup: Path
) -> None:
    del up
    before = backup.read_bytes()
    compose("stop", "postgres")
    try:
        done = make(service, "backup", f"FILE={backup}")
    finally:
        compose("up", "--no-build", "--wait", "postgres")
    assert done.returncode != 0
    assert [*backup.parent.iterdir()] == [backup]
    assert backup.read_bytes() == before


def test_the_documented_commands_back_up_and_restore_by_url(
    service: Path, compose: Run, order: str, tmp_path: Path
) -> None:
    section = (service / "docs/postgresql.md").read_text().partition("## Backups")[2]
    found = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found is not None
    in_network = f"docker run --network {service.name}_default"
    dump, restore = found[1].replace("docker run", in_network).split("docker run --network")[1:]
    url = compose("exec", "-T", "web", "cat", "/run/secrets/database_url")

    def shell(command: str) -> None:
        command = f"export DATABASE_URL='{url}'; docker run --network{command}"
        subprocess.run(["sh", "-euc", command], cwd=tmp_path, check=True)

    shell(dump)
    assert httpx.delete(order).status_code == 204
    shell(restore)
    assert httpx.get(order).status_code == 200
