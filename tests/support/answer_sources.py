"""The ways in which answers reach Cookiecutter: its command line, files of two kinds, prompts."""

import json
import os
import subprocess
import sys
import tty
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from cookiecutter.cli import main
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config

from .baking import BakeError, standard_error
from .template import QUESTIONS, with_derived

COMMAND = [sys.executable, "-m", "cookiecutter"]
Answers = Mapping[str, Any]
Channel = Callable[[Path, Path, Answers], list[str]]
"""Returns arguments of Cookiecutter for a template, a folder of its own, and answers."""


def command_line(_template: Path, own: Path, answers: Answers) -> list[str]:
    given = [f"{question}={answer}" for question, answer in answers.items()]
    return [*configured(own), "--no-input", *given]


def user_configuration(_template: Path, own: Path, answers: Answers) -> list[str]:
    return [*configured(own, default_context=dict(answers)), "--no-input"]


def replay_file(template: Path, own: Path, answers: Answers) -> list[str]:
    """Write what Cookiecutter would have kept, had these answers been given."""
    declared = generate_context(context_file=str(template / "cookiecutter.json"))
    kept = with_derived({**prompt_for_config(declared, no_input=True), **answers})
    path = own / "answers.json"
    path.write_text(json.dumps({"cookiecutter": kept}))
    return [*configured(own), "--replay-file", str(path)]


def configured(own: Path, **settings: object) -> list[str]:
    """Write a user configuration that keeps all of Cookiecutter's own files in this folder."""
    folders = {name: str(own / name) for name in ("cookiecutters_dir", "replay_dir")}
    path = own / "configuration.yaml"
    path.write_text(yaml.safe_dump(folders | settings))
    return ["--config-file", str(path)]


CHANNELS = {
    channel.__name__: channel for channel in (command_line, user_configuration, replay_file)
}


def render(template: Path, output: Path, arguments: list[str]) -> Path:
    """Run Cookiecutter in this process; return the folder that it made.

    Raises `BakeError` with what the hooks and Cookiecutter said, if they refuse.
    """
    with standard_error() as said:
        try:
            main([str(template), "--output-dir", str(output), *arguments], standalone_mode=False)
            failure = None
        except (Exception, SystemExit) as error:  # noqa: BLE001  # Whatever it is, it refuses.
            failure = error
        said.seek(0)
        words = said.read().decode()
    if failure:
        raise BakeError(f"{words}\n{failure}") from failure
    (service,) = output.iterdir()
    return service


def run(
    template: Path,
    output: Path,
    arguments: list[str],
    *,
    through: Sequence[str] = (),
    variables: Mapping[str, str | None] = MappingProxyType({}),
) -> Path:
    """Run Cookiecutter as people do, as a process; the rest is as in `render`.

    It runs `through` another command, if there is one, and without variables that are `None`.
    """
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [*through, *COMMAND, str(template), "--output-dir", str(output), *arguments],
        cwd=output.parent,
        env={name: value for name, value in environment.items() if value is not None},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise BakeError(done.stderr.decode() + done.stdout.decode())
    (service,) = output.iterdir()
    return service


def ask(template: Path, output: Path, own: Path, answers: Answers) -> Path:
    """Let Cookiecutter ask at a terminal, and type the answers; the rest is as in `render`."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)  # Control characters arrive as they are; a line feed still ends a line.
    typed = "".join(f"{answers.get(question, '')}\n" for question in QUESTIONS)
    with subprocess.Popen(
        [*COMMAND, str(template), "--output-dir", str(output), *configured(own)],
        cwd=output.parent,
        env=os.environ | {"TERM": "dumb", "PYTHONUTF8": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = shown_at(ours)
        assert process.stderr
        words = process.stderr.read().decode()
    os.close(ours)
    if process.returncode:
        raise BakeError(words + shown)
    (service,) = output.iterdir()
    return service


def shown_at(terminal: int) -> str:
    """Return all that a program writes to its terminal until it ends."""
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # This is how Linux says that nobody has the terminal any more.
        pass
    return shown.decode(errors="replace")
