"""A service in unusual folders, repositories and environments of developers."""

import os
import re
import shutil
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.runs.test_readme_commands import must, sh
from tests.support.baking import Baker
from tests.support.template_releases import commit
from tools.pythons import UV


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    folder = Baker(cookies_session).bake()
    must(folder, "make setup")
    commit(folder)
    return folder


@pytest.mark.parametrize(("name", "works"), [("a b, 100%41 (c)", True), ("a$HOME", False)])
def test_make_config_works_in_a_folder_with_blanks_or_names_the_reason(
    service: Path, tmp_path: Path, name: str, works: bool
) -> None:
    folder = tmp_path / name
    must(service, f"git clone --quiet . '{folder}'")
    must(folder, "make setup")
    done = sh(folder, "make --silent config")
    assert "Traceback" not in done.stderr
    if works:
        assert re.search("name=database +result=ok", done.stdout)
    else:
        assert done.stderr.splitlines()[0].startswith("PostgreSQL cannot run in a folder with $")


def test_commits_are_checked_without_uv_on_the_path(service: Path, tmp_path: Path) -> None:
    folder = tmp_path / "service"
    must(service, f"git clone --quiet . {folder}")
    must(folder, "make setup hooks")
    (main,) = folder.glob("src/*/main.py")
    main.write_text(f"{main.read_text()}VALUE  =  undefined\n")
    commit = "git -c user.name=a -c user.email=a@b.c commit --quiet --all --message Edit"
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if "uv" not in p)
    tools = folder / ".tools" / "bin"
    tools.mkdir(parents=True)
    (tools / "uv").symlink_to(shutil.which(UV) or UV)
    done = sh(folder, commit, PATH=path, MAKEFLAGS="")
    assert done.returncode == 1
    assert "VALUE = undefined" in main.read_text(), "make format stopped at the finding"
    assert "F821" in done.stderr + done.stdout


def test_hooks_are_not_installed_in_a_folder_of_a_larger_repository(
    service: Path, tmp_path: Path
) -> None:
    must(tmp_path, "git init --quiet")
    must(service, f"git clone --quiet . {tmp_path}/service && rm -rf {tmp_path}/service/.git")
    done = sh(tmp_path / "service", "make --silent hooks")
    assert done.returncode != 0
    assert "another root" in done.stderr
    assert not (tmp_path / ".git" / "hooks" / "pre-commit").exists()


def test_a_new_dependency_is_pinned_exactly(service: Path, tmp_path: Path) -> None:
    must(service, f"git clone --quiet . {tmp_path}/service")
    must(tmp_path / "service", f"{UV} add --no-sync --quiet idna")
    assert re.search('"idna==[0-9.]+"', (tmp_path / "service" / "pyproject.toml").read_text())


def test_two_checkouts_have_separate_containers(service: Path, tmp_path: Path) -> None:
    must(service, f"git clone --quiet . {tmp_path}/{service.name}")
    must(tmp_path / service.name, "make setup")
    of = "COMPOSE_PROJECT_NAME=.*"
    names = {
        re.findall(of, (f / ".env").read_text())[0] for f in (service, tmp_path / service.name)
    }
    assert len(names) == 2


def test_make_check_names_the_branch_that_ci_delivers(service: Path, tmp_path: Path) -> None:
    must(service, f"git clone --quiet . {tmp_path}/service")
    must(tmp_path / "service", "git branch --quiet --move master")
    done = sh(tmp_path / "service", "make check", MAKEFLAGS="UV=true")
    assert "git branch -m main" in done.stdout


def test_a_new_migration_passes_make_check_and_applies(service: Path, tmp_path: Path) -> None:
    must(service, f"git clone --quiet . {tmp_path}/service")
    must(tmp_path / "service", f"{UV} run --quiet python -m dev.migration 'add a column'")
    must(tmp_path / "service", "make check")
    done = sh(tmp_path / "service", "LOG_LEVEL=info make --silent config")
    assert "schema=0002" in done.stdout


@pytest.mark.parametrize(
    ("name", "revision", "down_revision"),
    [
        ("0002_b", "0002", "0001"),
        ("0003_b", "0003", "0001"),
        ("0003_b", "0002", "0002"),
        ("0003_b", "0004", "0002"),
    ],
    ids=["two with one number", "two heads", "two with one revision", "number of another file"],
)
def test_make_check_names_a_migration_that_does_not_follow_the_one_before(
    service: Path, tmp_path: Path, name: str, revision: str, down_revision: str
) -> None:
    must(service, f"git clone --quiet . {tmp_path}/service")
    must(tmp_path / "service", f"{UV} run --quiet python -m dev.migration a")
    versions = tmp_path / "service" / "migrations" / "versions"
    code = (versions / "0002_a.py").read_text()
    code = code.replace('"0002"', f'"{revision}"').replace('"0001"', f'"{down_revision}"')
    (versions / f"{name}.py").write_text(code)
    (command,) = re.findall(
        ".*dev.migration --check", must(tmp_path / "service", "make --dry-run check")
    )
    done = sh(tmp_path / "service", command)
    assert done.returncode == 1
    assert re.fullmatch(rf"migrations/versions/{name}.py does not follow 0002: .*\n", done.stderr)
