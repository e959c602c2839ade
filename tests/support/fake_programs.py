"""Programs that record their calls, for the make targets of a service."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.pythons import UV, outside

RECORDER = """#!{python}
import json, pathlib, sys

text = sys.stdin.read() if {reads} else ""
with (pathlib.Path(__file__).parent / "calls").open("a") as file:
    print(json.dumps({{"words": ["{name}", *sys.argv[1:]], "stdin": text}}), file=file)
print({output!r}, file=sys.stderr if {code} else sys.stdout)
sys.exit({code} if {argument!r} in sys.argv else 0)
"""


@dataclass
class FakePrograms:
    """A service, and a folder of fake programs that come first in the `PATH` of its targets."""

    service: Path
    programs: Path

    def make(self, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (self.programs / "calls").write_text("")
        path = {"PATH": f"{self.programs}{os.pathsep}{outside()['PATH']}"}
        return subprocess.run(
            ["make", "--silent", f"UV={UV}", *targets],
            cwd=self.service,
            env=outside() | path | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.programs / "calls").read_text().splitlines()]

    def commands(self) -> list[str]:
        """Return the calls as command lines."""
        return [" ".join(call["words"]) for call in self.calls()]

    def add(
        self, name: str, output: str = "", *, fails_for: str = "", reads_stdin: bool = False
    ) -> None:
        """Add a program that prints a text, and fails if it gets a certain argument."""
        fill = {"output": output, "code": int(bool(fails_for)), "argument": fails_for}
        self.write(
            name, RECORDER.format(python=sys.executable, name=name, reads=reads_stdin, **fill)
        )

    def write(self, name: str, text: str) -> None:
        """Add a program with this text."""
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed target printed to stderr, without the line of `make` itself."""
    assert done.returncode != 0, done.stdout
    *lines, last = done.stderr.splitlines()
    assert last.startswith("make: ***"), done.stderr
    return "\n".join(lines)
