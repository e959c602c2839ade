"""Rendering runs only the hooks, uses no network, and writes only to its folders (with strace)."""

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
from tests.support.small_template import SmallTemplate
from tests.support.template import ROOT

CALLS = "%process,%network,%file"
WRITES = re.compile(
    r"(?:open(?:at|at2)?\(.*\bO_(?:WRONLY|RDWR|CREAT|TRUNC)\b"
    r"|(?:creat|mkdir|mkdirat|mknod|mknodat|rmdir|unlink|unlinkat|rename|renameat|renameat2|link"
    r"|linkat|symlink|symlinkat|truncate|chmod|fchmodat|chown|lchown|fchownat)\()"
)
NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')


@pytest.fixture
def strace(tmp_path: Path) -> list[str]:
    """A command that disables the network, where permitted, and traces system calls."""
    through = ["unshare", "--net"]
    if subprocess.run([*through, "true"], capture_output=True, check=False).returncode:
        through = []  # Connections are still found in the trace.
    if not shutil.which("strace"):
        lack("strace is not installed")
    trace = tmp_path / "trace"
    return [*through, "strace", "-f", "-y", "-qq", "-s", "4096", "-e", CALLS, "-o", str(trace)]


def violations(trace: Path, cwd: Path, allowed: list[Path]) -> Iterator[str]:
    """Yield the calls that ran another program, used the network, or wrote to other folders."""
    for line in trace.read_text(errors="replace").splitlines():
        call = line.partition(" ")[2].lstrip()
        if re.match(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*AF_INET", call):
            yield call  # Even if it failed.
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


def traced(template: Path, output: Path, own: Path, strace: list[str]) -> tuple[str, list[str]]:
    """Render with strace; return the trace and the violations."""
    temporary = output.parent / "tmp"
    temporary.mkdir()
    service = run(
        template,
        output,
        command_line(template, own, PLAIN),
        through=strace,
        variables={"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(temporary)},
    )
    trace = Path(strace[-1])
    return trace.read_text(), list(violations(trace, output.parent, [service, temporary, own]))


def test_rendering_runs_only_its_hooks_and_writes_only_to_its_folders(
    own: Path, output: Path, strace: list[str]
) -> None:
    trace, found = traced(ROOT, output, own, strace)
    assert not found
    assert trace.count(f'execve("{sys.executable}"') == 3  # Cookiecutter and its two hooks.
    assert trace.count("O_CREAT") > 150


VIOLATIONS = {
    "program": "import subprocess; subprocess.run(['/bin/true'])",
    "network": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
    "file elsewhere": "open('../../elsewhere', 'w')",
    "folder elsewhere": "import os; os.mkdir(os.path.join(os.getcwd(), '../../elsewhere'))",
    "deletion elsewhere": "import os; os.remove('../../kept')",
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_in_a_hook_is_found(
    small: SmallTemplate, strace: list[str], violation: str
) -> None:
    (small.output.parent / "kept").touch()
    template = small.output.parent / "template"
    shutil.copytree(small.template, template)
    with (template / "hooks" / "post_gen_project.py").open("a") as hook:
        hook.write(f"\n{VIOLATIONS[violation]}\n")
    _, found = traced(template, small.output, small.own, strace)
    assert len(found) == 1
