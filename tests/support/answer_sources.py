"""Sources of Cookiecutter's answers: command line, user configuration, replay file, prompts."""

import json
import os
import subprocess
import sys
import tty
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
"""Returns Cookiecutter's arguments for a template, a folder for its files, and answers."""


def command_line(_template: Path, own: Path, answers: Answers) -> list[str]:
    given = [f"{question}={answer}" for question, answer in answers.items()]
    return [*configured(own), "--no-input", *given]


def user_configuration(_template: Path, own: Path, answers: Answers) -> list[str]:
    return [*configured(own, default_context=dict(answers)), "--no-input"]


def replay_file(template: Path, own: Path, answers: Answers) -> list[str]:
    """Write a replay file as Cookiecutter does after these answers."""
    declared = generate_context(context_file=str(template / "cookiecutter.json"))
    context = with_derived({**prompt_for_config(declared, no_input=True), **answers})
    path = own / "answers.json"
    path.write_text(json.dumps({"cookiecutter": context}))
    return [*configured(own), "--replay-file", str(path)]


def configured(own: Path, **settings: object) -> list[str]:
    """Write a user configuration that makes Cookiecutter keep its files in this folder."""
    folders = {name: str(own / name) for name in ("cookiecutters_dir", "replay_dir")}
    path = own / "configuration.yaml"
    path.write_text(yaml.safe_dump(folders | settings))
    return ["--config-file", str(path)]


CHANNELS = {
    channel.__name__: channel for channel in (command_line, user_configuration, replay_file)
}


def render(template: Path, output: Path, arguments: list[str]) -> Path:
    """Run Cookiecutter in this process; return the folder of the service.

    Raises `BakeError` with the messages of the hooks and Cookiecutter if they fail.
    """
    with standard_error() as collected:
        try:
            main([str(template), "--output-dir", str(output), *arguments], standalone_mode=False)
            failure = None
        except (Exception, SystemExit) as error:  # noqa: BLE001  # Any error rejects the answers.
            failure = error
        collected.seek(0)
        messages = collected.read().decode()
    if failure:
        raise BakeError(f"{messages}\n{failure}") from failure
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
    """Run Cookiecutter in a separate process; otherwise like `render`.

    `through` is a command that runs it, such as `strace`; variables that are `None` are unset.
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


def type_answers(template: Path, output: Path, own: Path, answers: Answers) -> Path:
    """Type the answers at Cookiecutter's prompts in a terminal; otherwise like `render`."""
    terminal, device = os.openpty()
    tty.setraw(device)  # Passes control characters on; a line feed still ends a line.
    typed = "".join(f"{answers.get(question, '')}\n" for question in QUESTIONS)
    with subprocess.Popen(
        [*COMMAND, str(template), "--output-dir", str(output), *configured(own)],
        cwd=output.parent,
        env=os.environ | {"TERM": "dumb", "PYTHONUTF8": "1"},
        stdin=device,
        stdout=device,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(device)
        os.write(terminal, typed.encode())
        shown = read_all(terminal)
        assert process.stderr
        messages = process.stderr.read().decode()
    os.close(terminal)
    if process.returncode:
        raise BakeError(messages + shown)
    (service,) = output.iterdir()
    return service


def read_all(terminal: int) -> str:
    """Return the output of a program in a terminal until it ends."""
    output = b""
    with suppress(OSError):  # Linux raises it when the program has closed the terminal.
        while part := os.read(terminal, 65536):
            output += part
    return output.decode(errors="replace")
