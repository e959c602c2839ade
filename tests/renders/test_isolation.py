"""Rendering, watched by strace, runs its hooks, asks no network, writes to its folders alone."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answer_sources import command_line, run
from tests.support.hostile_answers import PLAIN
from tests.support.needs import lack
from tests.support.small_template import Slim
from tests.support.template import ROOT

CALLS = "%process,%network,%file"
WRITES = re.compile(
    r"(?:open(?:at|at2)?\(.*\bO_(?:WRONLY|RDWR|CREAT|TRUNC)\b"
    r"|(?:creat|mkdir|mkdirat|mknod|mknodat|rmdir|unlink|unlinkat|rename|renameat|renameat2|link"
    r"|linkat|symlink|symlinkat|truncate|chmod|fchmodat|chown|lchown|fchownat)\()"
)
NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')


@pytest.fixture
def watched(tmp_path: Path) -> list[str]:
    """Return a command that cuts the network and writes down what programs do."""
    through = ["unshare", "--net"]
    if subprocess.run([*through, "true"], capture_output=True, check=False).returncode:
        through = []  # Then connections are found, if not prevented.
    if not shutil.which("strace"):
        lack("strace is not installed")
    trace = tmp_path / "trace"
    return [*through, "strace", "-f", "-y", "-qq", "-s", "4096", "-e", CALLS, "-o", str(trace)]


def offences(trace: Path, cwd: Path, allowed: list[Path]) -> Iterator[str]:
    """Tell each call that ran another program, asked for the network, or wrote elsewhere."""
    for line in trace.read_text(errors="replace").splitlines():
        call = line.partition(" ")[2].lstrip()
        if re.match(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*AF_INET", call):
            yield call  # Whether somebody answers or not.
        elif " = -1 " in call or call.startswith(("+++", "---", "<...")):
            continue
        elif call.startswith("execve"):
            if f'"{sys.executable}"' not in call.partition(",")[0]:
                yield call
        elif WRITES.match(call):
            for folder, name in NAMED.findall(call):
                path = (cwd / folder / name).resolve()
                if not any(path.is_relative_to(place) for place in [*allowed, Path("/dev")]):
                    yield call


def traced(template: Path, output: Path, own: Path, watched: list[str]) -> tuple[str, list[str]]:
    """Render, watched; return all that was done and what of it was not to be done."""
    temporary = output.parent / "tmp"
    temporary.mkdir()
    service = run(
        template,
        output,
        command_line(template, own, PLAIN),
        through=watched,
        variables={"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(temporary)},
    )
    trace = Path(watched[-1])
    return trace.read_text(), list(offences(trace, output.parent, [service, temporary, own]))


def test_rendering_runs_only_its_hooks_and_writes_only_to_its_folders(
    own: Path, output: Path, watched: list[str]
) -> None:
    trace, found = traced(ROOT, output, own, watched)
    assert not found
    assert trace.count(f'execve("{sys.executable}"') == 3  # Cookiecutter and its two hooks.
    assert trace.count("O_CREAT") > 150


FAULTS = {
    "a program": "import subprocess; subprocess.run(['/bin/true'])",
    "the network": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
    "a file elsewhere": "open('../../elsewhere', 'w')",
    "a folder elsewhere": "import os; os.mkdir(os.path.join(os.getcwd(), '../../elsewhere'))",
    "a deletion elsewhere": "import os; os.remove('../../kept')",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_hook_that_does_more_is_found(slim: Slim, watched: list[str], fault: str) -> None:
    (slim.output.parent / "kept").touch()
    template = slim.output.parent / "template"
    shutil.copytree(slim.template, template)
    with (template / "hooks" / "post_gen_project.py").open("a") as hook:
        hook.write(f"\n{FAULTS[fault]}\n")
    _, found = traced(template, slim.output, slim.own, watched)
    assert len(found) == 1
