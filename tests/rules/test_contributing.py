"""Following the steps of CONTRIBUTING.md in a copy of the template adds a working option."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.commands import run
from tests.support.template import OPTIONS, SERVICE, copy_checkout, files_of
from tools.own_files import own_files
from tools.pythons import ROOT, UV
from tools.ratchet import read

pytestmark = [pytest.mark.minutes, pytest.mark.slow]

STEP = re.compile(
    r"^(?:Write `(?P<new>[^`\n]+)`"
    r"|In `(?P<file>[^`\n]+)`, (?P<where>before|after) the line that begins with"
    r" (?P<ticks>`+)(?P<line>.+?)(?P=ticks))"
    r":\n\n```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ROSE = re.compile(r"\[(\w+)\] (\S+) = (\d+) is now (\d+)")
RATCHET = "tests/rules/ratchet.toml"
RENDERS = "tests/renders/test_variants.py"


@dataclass(frozen=True)
class Followed:
    """A copy of the template in which all steps were followed."""

    folder: Path
    option: str
    files: set[str]
    """The files that the steps name."""

    @property
    def variant(self) -> str:
        return f"{self.option}-yes"

    @property
    def service(self) -> Path:
        return self.folder / "variants" / self.variant / "order-service"

    def run(self, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy with the tools of this environment."""
        return run(*command, cwd=folder or self.folder, UV=UV)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", *arguments)


def follow(document: str, folder: Path) -> set[str]:
    """Apply each block of the document; return the files that the blocks name."""
    (section,) = re.findall(r"^## Add an option$.*?(?=^## )", document, re.MULTILINE | re.DOTALL)
    steps = list(STEP.finditer(section))
    assert len(steps) == section.count("\n```") // 2, (
        "CONTRIBUTING.md: a block does not name its file"
    )
    for step in steps:
        if step["new"]:
            (folder / step["new"]).write_text(step["text"], encoding="utf-8")
            continue
        file = folder / step["file"]
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        at = [n for n, line in enumerate(lines) if line.strip().startswith(step["line"])]
        assert len(at) == 1, f"CONTRIBUTING.md: {step['file']}: {len(at)} lines: {step['line']}"
        lines.insert(at[0] + (step["where"] == "after"), step["text"])
        file.write_text("".join(lines), encoding="utf-8")
    return {step["new"] or step["file"] for step in steps}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Follow the document in a copy of the template, and raise the ratchet as it asks."""
    folder = copy_checkout(tmp_path_factory.mktemp("contributor") / "template")
    document = (folder / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (option,) = re.findall(r"^An example to follow: `(\w+)`", document, re.MULTILINE)
    files = follow(document, folder)
    copy = Followed(folder, option, files)
    assert copy.python("tools.copier_config").returncode == 0
    rejected = copy.python("tools.ratchet")
    assert rejected.returncode == 1, rejected.stderr
    ratchet = (folder / RATCHET).read_text(encoding="utf-8")
    for table, name, old, new in ROSE.findall(rejected.stderr):
        before, mark, after = ratchet.partition(f"[{table}]\n")
        changed = after.replace(f"{name} = {old}\n", f"{name} = {new}\n", 1)
        assert changed != after
        ratchet = before + mark + changed
    (folder / RATCHET).write_text(ratchet, encoding="utf-8")
    written = copy.python("tools.ratchet")
    assert written.returncode == 0, written.stderr
    rendered = copy.python("tools.variant", copy.variant)
    assert rendered.returncode == 0, rendered.stderr
    return copy


def test_the_example_is_not_yet_an_option(followed: Followed) -> None:
    assert followed.option not in OPTIONS
    assert len(followed.files) > 5


def test_only_the_files_that_the_document_names_are_edited(followed: Followed) -> None:
    before, after = ({str(path) for path in own_files(root)} for root in (ROOT, followed.folder))
    assert before <= after
    changed = {
        path
        for path in after
        if path not in before or (ROOT / path).read_bytes() != (followed.folder / path).read_bytes()
    }
    assert changed == followed.files | {RATCHET, "copier.yml"}
    assert not [path for path in followed.files if path.startswith(("hooks/", "tests/"))]


def test_the_ratchet_records_the_cost_of_the_option(followed: Followed) -> None:
    before, after = (read(root / RATCHET) for root in (ROOT, followed.folder))
    assert after["places"].keys() - before["places"].keys() == {followed.option}
    assert after["lines"]["full"] > before["lines"]["full"]
    assert after["lines"]["bare"] == before["lines"]["bare"]


def test_the_template_tests_pass_for_the_new_variants(followed: Followed) -> None:
    quick = [f"tests/rules/test_{name}.py" for name in ("manifest", "seams", "ratchet")]
    selected = f"(not test_variants or {followed.option} or default) and not make and not test_dep"
    done = followed.python(
        "pytest", "--quiet", "-p", "no:cacheprovider", *quick, RENDERS, "-k", selected
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 100


def test_only_services_with_the_option_have_its_files(followed: Followed) -> None:
    listed = {
        path.removeprefix(f"{SERVICE.name}/").replace(
            "{{cookiecutter.package_name}}", "order_service"
        )
        for path in followed.files
        if path.startswith(SERVICE.name) and not (ROOT / path).exists()
    }
    assert len(listed) > 1
    assert listed < files_of(followed.service)
    assert followed.run(sys.executable, "-m", "tools.variant", "default").returncode == 0
    default = followed.folder / "variants/default/order-service"
    assert not listed & files_of(default)
    for path in files_of(default):
        assert followed.option not in (default / path).read_text(encoding="utf-8"), path


def test_a_service_with_the_option_passes_make_check_and_the_tests_of_the_option(
    followed: Followed,
) -> None:
    environment = followed.folder.parent / "environment"
    make = ["env", f"UV_PROJECT_ENVIRONMENT={environment}", "make", f"UV={UV}", "check"]
    done = followed.run(*make, folder=followed.service)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = [
        path for path in files_of(followed.service) if followed.option in path and "test" in path
    ]
    assert tests
    python = str(environment / "bin/python")
    done = followed.run(python, "-m", "pytest", "--quiet", *tests, folder=followed.service)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)
