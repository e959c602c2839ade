"""`make variant`, and what `make test` relies on: groups of pytest-xdist, and skipped tests."""

import sys
from pathlib import Path

import pytest

from tests.support.commands import must_run, run
from tests.support.needs import lack
from tests.support.template import FIRST, expected_files
from tests.support.variants import VARIANTS
from tools import go_programs
from tools import variant as tool
from tools.pythons import ROOT

ONE = "database-none"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tool, "FOLDER", tmp_path)
    return tmp_path


def test_without_an_id_every_variant_is_listed_with_its_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert tool.main("") == 0
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in rows] == list(VARIANTS)
    assert dict(rows)[ONE] == "database=none chassis_tests=yes"


def test_a_variant_replaces_an_earlier_render_and_is_described(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = folder / ONE / "order-service"
    service.mkdir(parents=True)
    (service / "left").touch()
    assert tool.main(ONE) == 0
    assert not (service / "left").exists()
    output = capsys.readouterr().out
    rows = {line[:13].strip(): line[14:] for line in output.splitlines()}
    count = len(expected_files(FIRST | {"package_name": "order_service"} | VARIANTS[ONE]))
    assert rows["answers"] == "database=none chassis_tests=yes"
    assert rows["files"] == str(count)
    assert 1000 < int(rows["lines of src"]) < 3000
    assert "fastapi" in rows["dependencies"]
    assert "psycopg" not in rows["dependencies"]
    assert rows["containers"] == "1: web"
    assert "order-service\nmake setup check" in output
    assert f'pytest -k "{ONE}"' in output


def test_an_unknown_variant_is_rejected_in_one_line_with_a_suggestion(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main("databse-none") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"unknown variant databse-none: did you mean {ONE}")
    assert not list(folder.iterdir())


def test_make_passes_the_id_to_the_tool() -> None:
    done = run("make", "variant", "ID=no such thing", cwd=ROOT)
    assert done.returncode != 0
    assert done.stderr.startswith("unknown variant no such thing: `make variant` lists all\n")


def test_git_ignores_rendered_variants() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert f"/{tool.FOLDER.relative_to(ROOT)}/" in ignored


def failing(times: int) -> str:
    """Return a shell command that fails so many times in a folder, and then prints `done`."""
    return f"echo . >> attempts; test $(wc -l < attempts) -gt {times} && echo done"


def test_a_download_is_attempted_three_times(tmp_path: Path) -> None:
    assert go_programs.run("sh", "-c", failing(2), cwd=tmp_path) == "done\n"


def test_a_download_that_always_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="sh -c echo"):
        go_programs.run("sh", "-c", failing(3), cwd=tmp_path)
    assert len((tmp_path / "attempts").read_text().split()) == 3


def test_one_xdist_process_runs_all_tests_of_a_group(tmp_path: Path) -> None:
    (tmp_path / "test_groups.py").write_text(
        "import os, pathlib, pytest\n"
        "@pytest.mark.parametrize('group', [\n"
        "    pytest.param(n % 2, marks=pytest.mark.xdist_group(f'g{n % 2}')) for n in range(20)\n"
        "])\n"
        "def test_it(group):\n"
        "    with pathlib.Path(f'{group}.txt').open('a') as file:\n"
        "        file.write(os.environ['PYTEST_XDIST_WORKER'] + ' ')\n"
    )
    command = [sys.executable, "-m", "pytest", "-n2", "--dist=loadgroup", "-p", "no:cacheprovider"]
    must_run(*command, cwd=tmp_path)
    for group in (0, 1):
        processes = (tmp_path / f"{group}.txt").read_text().split()
        assert len(processes) == 10
        assert len(set(processes)) == 1


def test_a_missing_program_skips_a_test_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="npx is not installed"):
        lack("npx is not installed")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="npx is not installed"):
        lack("npx is not installed")
