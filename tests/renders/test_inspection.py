"""Each inspection of a rendered service finds what it looks for."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.inspection import INSPECTIONS
from tests.support.template import FIRST

ANSWERS = FIRST | {"package_name": "order_service"}


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(service: Path) -> None:
        text = (service / path).read_text(encoding="utf-8")
        assert old in text
        (service / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def added(path: str, text: str) -> Callable[[Path], None]:
    def edit(service: Path) -> None:
        (service / path).parent.mkdir(parents=True, exist_ok=True)
        with (service / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return edit


FAULTS = [
    ("files", lambda service: (service / "LICENSE").unlink(), "LICENSE: is missing"),
    ("files", added("src/left.py", ""), "src/left.py: is not chosen"),
    ("files", lambda service: (service / "deploy").mkdir(), "deploy: is an empty folder"),
    ("residue", added("README.md", "{% endif %}\n"), "README.md: holds '{%'"),
    ("residue", added("README.md", "Cookiecutter\n"), "README.md: holds 'Cookiecutter'"),
    ("residue", added("README.md", "\n\n\nend\n"), r"README.md: holds '\n\n\n\n'"),
    ("residue", added("README.md", "no end"), "README.md: does not end with one line end"),
    ("residue", added("Makefile", "# No Redis.\n"), "speaks of 'Redis', which was not chosen"),
    ("residue", added("Makefile", "# pymongo\n"), "speaks of 'pymongo', which was not chosen"),
    (
        "formats",
        added("compose.yaml", "  x: : y\n"),
        "compose.yaml: while parsing",
    ),
    ("formats", added("pyproject.toml", 'x = "'), "pyproject.toml: "),
    ("formats", replaced("compose/web.yaml", "restart:", "restarts:"), "compose/web.yaml: $.serv"),
    ("markdown", added("README.md", "\n\nend\n"), "is a second blank line"),
    ("markdown", added("README.md", "\n| a |\nend\n"), "is glued to a table"),
    ("markdown", added("README.md", "| a |\n"), "is glued to a table"),
    ("texts", replaced("pyproject.toml", "Takes", "Gives"), "pyproject.toml: another description"),
    ("texts", replaced("pyproject.toml", "you@", "me@"), "pyproject.toml: other authors"),
    ("texts", replaced("README.md", "Order", "Other"), "README.md: another title"),
    ("texts", replaced("LICENSE", "Your Organization", "Others"), "LICENSE: another owner"),
    ("links", added("README.md", "`orders/gone.py`\n"), "README.md: orders/gone.py is not there"),
    ("links", added("README.md", "[a](docs/b.md)\n"), "README.md: docs/b.md is not there"),
    ("links", added("docs/operations.md", "[a](b.md)\n"), "docs/operations.md: b.md is not there"),
    (
        "citations",
        replaced("src/order_service/main.py", "START HERE", "As `api/gone.py` says"),
        "src/order_service/main.py:1: cites api/gone.py, which does not exist",
    ),
    ("citations", added("dev/run.py", "# See `GoneStore`.\n"), "cites GoneStore, which does not"),
    ("citations", added("dev/run.py", "# See `gone.read`.\n"), "cites gone.read, which does not"),
    ("orphans", added("src/order_service/left.py", ""), "src/order_service/left.py: is used by"),
    ("orphans", added("src/order_service/chassis/commands/left.py", ""), "left.py: is used by"),
    ("orphans", added("tests/left.py", ""), "tests/left.py: is used by nothing"),
    ("tools", replaced("pyproject.toml", "dev = [", 'dev = ["left-pad==1",'), "toml: left-pad is"),
    ("orphans", added("compose/left.yaml", ""), "compose/left.yaml: is included by nothing"),
    ("orphans", added("deploy/left.yaml", ""), "deploy/left.yaml: is named by no kustomization"),
    ("orphans", added("deploy/base/kustomization.yaml", ""), "deploy/base: is named by no"),
    ("orphans", added("deploy/components/x/kustomization.yaml", ""), "components/x: is named by"),
]


@pytest.mark.parametrize(
    ("inspection", "edit", "finding"),
    FAULTS,
    ids=[f"{inspection}: {finding}" for inspection, _, finding in FAULTS],
)
def test_it_finds_a_fault(
    default_service: Path,
    tmp_path: Path,
    inspection: str,
    edit: Callable[[Path], None],
    finding: str,
) -> None:
    service = shutil.copytree(default_service, tmp_path / "service")
    edit(service)
    found = list(INSPECTIONS[inspection](service, ANSWERS))
    assert len(found) == 1
    assert finding in found[0]


def test_there_is_a_fault_for_each() -> None:
    assert {inspection for inspection, *_ in FAULTS} == INSPECTIONS.keys()
