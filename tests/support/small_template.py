"""A small copy of the template, which tests of answers render many times."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .answer_sources import CHANNELS, Answers, command_line, render, run, type_answers
from .baking import BakeError
from .hostile_answers import MARKERS, with_answers
from .parsed_files import contents
from .template import DECLARED, FIRST, ROOT, SERVICE


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for Cookiecutter's configuration, cache and replay files."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory, own: Path) -> Path:
    """The default service rendered with markers as answers."""
    output = tmp_path_factory.mktemp("marked")
    return render(ROOT, output, command_line(ROOT, own, MARKERS))


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory, marked: Path) -> Path:
    """A copy of the template with only the files that hold an answer other than the package name.

    It renders in a tenth of the time.
    """
    copy = tmp_path_factory.mktemp("small")
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
def marked_contents(
    tmp_path_factory: pytest.TempPathFactory, own: Path, small_folder: Path
) -> dict[str, Any]:
    """The parsed files of the small copy rendered with markers as answers."""
    output = tmp_path_factory.mktemp("marked-contents")
    found = contents(render(small_folder, output, command_line(small_folder, own, MARKERS)))
    assert {"pyproject.toml", "README.md", "LICENSE", "compose.yaml"} <= found.keys()
    return found


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An empty folder to render into, in folders where a file outside of it would be found."""
    folder = tmp_path / "a" / "b" / "output"
    folder.mkdir(parents=True)
    return folder


@dataclass(frozen=True)
class SmallTemplate:
    """The small copy of the template and the folders to render it with."""

    template: Path
    marked_contents: dict[str, Any]
    own: Path
    output: Path

    def arguments(self, channel: str, answers: Answers) -> list[str]:
        return CHANNELS[channel](self.template, self.own, answers)

    def render(self, channel: str, answers: Answers) -> Path:
        return render(self.template, self.output, self.arguments(channel, answers))

    def run(self, channel: str, answers: Answers) -> Path:
        return run(self.template, self.output, self.arguments(channel, answers))

    def type_answers(self, answers: Answers) -> Path:
        return type_answers(self.template, self.output, self.own, answers)

    def expected(self, answers: Answers) -> Any:
        """Return the parsed files that a render with these and plain answers must have."""
        return with_answers(self.marked_contents, answers)


@pytest.fixture
def small(
    small_folder: Path, marked_contents: dict[str, Any], own: Path, output: Path
) -> SmallTemplate:
    return SmallTemplate(small_folder, marked_contents, own, output)


@pytest.fixture
def assert_rejected(tmp_path: Path, small: SmallTemplate) -> Callable[..., None]:
    """Check that a call fails with a reason for each of these questions and writes nothing."""

    def check(questions: set[str], call: Callable[..., Path], *arguments: Any) -> None:
        before = set(tmp_path.rglob("*"))
        assert small.output in before
        with pytest.raises(BakeError) as rejection:
            call(*arguments)
        lines = [line.partition(": ") for line in str(rejection.value).splitlines()]
        reasons = {name for name, _, reason in lines if name in FIRST and reason}
        assert reasons == questions
        assert set(tmp_path.rglob("*")) == before

    return check
