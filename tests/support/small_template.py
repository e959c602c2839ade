"""A small copy of the template to answer many times, what it says, and folders to render into."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .answer_sources import CHANNELS, Answers, ask, command_line, render, run
from .baking import BakeError
from .hostile_answers import MARKERS, with_answers
from .parsed_files import meanings
from .template import DECLARED, FIRST, ROOT, SERVICE


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for what Cookiecutter reads and keeps."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory, own: Path) -> Path:
    """Return the default service with answers that can be found in it."""
    output = tmp_path_factory.mktemp("marked")
    return render(ROOT, output, command_line(ROOT, own, MARKERS))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, marked: Path) -> Path:
    """Return the template with only those files that hold more than the package's name.

    They take a tenth of the time.
    """
    copy = tmp_path_factory.mktemp("slim")
    for part in ("hooks", "templates"):
        shutil.copytree(ROOT / part, copy / part)
    (copy / "cookiecutter.json").write_text(json.dumps(DECLARED | {"_features": {}}))
    texts = [marker for question, marker in MARKERS.items() if question != "package_name"]
    for path in SERVICE.rglob("*"):
        name = str(path.relative_to(SERVICE))
        rendered = marked / name.replace("{{cookiecutter.package_name}}", "package_marker")
        if rendered.is_file() and any(text in rendered.read_text() for text in texts):
            (copy / SERVICE.name / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy / SERVICE.name / name)
    return copy


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory, own: Path, small: Path) -> dict[str, Any]:
    """Return what the files of that say, with markers."""
    output = tmp_path_factory.mktemp("said")
    said = meanings(render(small, output, command_line(small, own, MARKERS)))
    assert {"pyproject.toml", "README.md", "LICENSE", "compose.yaml"} <= said.keys()
    return said


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return an empty folder to render into, which has room around it to escape to."""
    folder = tmp_path / "a" / "b" / "output"
    folder.mkdir(parents=True)
    return folder


@dataclass(frozen=True)
class Slim:
    """The small copy, what it says with markers, and where to render it."""

    template: Path
    said: dict[str, Any]
    own: Path
    output: Path

    def arguments(self, channel: str, answers: Answers) -> list[str]:
        return CHANNELS[channel](self.template, self.own, answers)

    def render(self, channel: str, answers: Answers) -> Path:
        return render(self.template, self.output, self.arguments(channel, answers))

    def run(self, channel: str, answers: Answers) -> Path:
        return run(self.template, self.output, self.arguments(channel, answers))

    def ask(self, answers: Answers) -> Path:
        return ask(self.template, self.output, self.own, answers)

    def expected(self, answers: Answers) -> Any:
        """Return what files are to say with plain answers and these."""
        return with_answers(self.said, answers)


@pytest.fixture
def slim(small: Path, said: dict[str, Any], own: Path, output: Path) -> Slim:
    return Slim(small, said, own, output)


@pytest.fixture
def refuses(tmp_path: Path, slim: Slim) -> Callable[..., None]:
    """Check that a call names these questions, each with a reason, and writes nothing."""

    def check(questions: set[str], call: Callable[..., Path], *arguments: Any) -> None:
        before = set(tmp_path.rglob("*"))
        assert slim.output in before
        with pytest.raises(BakeError) as refusal:
            call(*arguments)
        said = [line.partition(": ") for line in str(refusal.value).splitlines()]
        reasons = {name for name, _, reason in said if name in FIRST and reason}
        assert reasons == questions
        assert set(tmp_path.rglob("*")) == before

    return check
