"""Each inspection of a rendered service finds its problem."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.inspection import INSPECTIONS
from tests.support.template import FIRST

ANSWERS = FIRST | {"package_name": "order_service", "chassis_tests": True}


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(service: Path) -> None:
        text = (service / path).read_text(encoding="utf-8")
        assert old in text
        (service / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def added(path: str, text: str) -> Callable[[Path], None]:
    def change(service: Path) -> None:
        (service / path).parent.mkdir(parents=True, exist_ok=True)
        with (service / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


PROBLEMS = [
    ("files", lambda service: (service / "LICENSE").unlink(), "LICENSE: is missing"),
    ("files", added("src/left.py", ""), "src/left.py: was not chosen"),
    ("files", lambda service: (service / "deploy").mkdir(), "deploy: is an empty folder"),
    ("residue", added("README.md", "{% endif %}\n"), "README.md: contains '{%'"),
    ("residue", added("README.md", "Cookiecutter\n"), "README.md: contains 'Cookiecutter'"),
    ("residue", added("README.md", "\n\n\nend\n"), r"README.md: contains '\n\n\n\n'"),
    ("residue", added("README.md", "no end"), "README.md: does not end with exactly one newline"),
    ("residue", added("Makefile", "# No Redis.\n"), "mentions 'Redis', which was not chosen"),
    ("residue", added("Makefile", "# pymongo\n"), "mentions 'pymongo', which was not chosen"),
    ("formats", added("compose.yaml", "  x: : y\n"), "compose.yaml: while parsing"),
    ("formats", added("pyproject.toml", 'x = "'), "pyproject.toml: "),
    ("formats", replaced("compose/web.yaml", "restart:", "restarts:"), "compose/web.yaml: $.serv"),
    ("markdown", added("README.md", "\n\nend\n"), "second blank line"),
    ("markdown", added("README.md", "\n| a |\nend\n"), "no blank line at a table"),
    ("markdown", added("README.md", "| a |\n"), "no blank line at a table"),
    ("texts", replaced("pyproject.toml", "Takes", "Gives"), "pyproject.toml: wrong description"),
    ("texts", replaced("pyproject.toml", "you@", "me@"), "pyproject.toml: wrong authors"),
    ("texts", replaced("README.md", "Order", "Other"), "README.md: wrong title"),
    ("texts", replaced("LICENSE", "Your Organization", "Others"), "LICENSE: wrong owner"),
    ("links", added("README.md", "`orders/gone.py`\n"), "README.md: orders/gone.py does not exist"),
    ("links", added("README.md", "[a](docs/b.md)\n"), "README.md: docs/b.md does not exist"),
    ("links", added("docs/operations.md", "[a](b.md)\n"), "docs/operations.md: b.md does not"),
    (
        "citations",
        replaced("src/order_service/main.py", "START HERE", "See `api/gone.py`"),
        "src/order_service/main.py:1: refers to api/gone.py, which does not exist",
    ),
    ("citations", added("dev/run.py", "# See `GoneStore`.\n"), "refers to GoneStore, which does"),
    ("citations", added("dev/run.py", "# See `gone.read`.\n"), "refers to gone.read, which does"),
    ("unused", added("src/order_service/left.py", ""), "src/order_service/left.py: is unused"),
    ("unused", added("src/order_service/chassis/http/left.py", ""), "left.py: is unused"),
    ("unused", added("tests/left.py", ""), "tests/left.py: is unused"),
    (
        "tools",
        replaced("pyproject.toml", "dev = [", 'dev = ["left-pad==1",'),
        "left-pad is unused",
    ),
    ("engines", added("dev/run.py", "\n"), "dev/run.py: differs between Cookiecutter and Copier"),
    ("unused", added("compose/left.yaml", ""), "compose/left.yaml: is not included"),
    ("unused", added("deploy/left.yaml", ""), "deploy/left.yaml: is in no kustomization"),
    ("unused", added("deploy/base/kustomization.yaml", ""), "deploy/base: is in no kustomization"),
    (
        "unused",
        added("deploy/components/x/kustomization.yaml", ""),
        "components/x: is in no",
    ),
]


@pytest.mark.parametrize(
    ("inspection", "change", "finding"),
    PROBLEMS,
    ids=[f"{inspection}: {finding}" for inspection, _, finding in PROBLEMS],
)
def test_an_inspection_finds_a_problem(
    default_service: Path,
    tmp_path: Path,
    inspection: str,
    change: Callable[[Path], None],
    finding: str,
) -> None:
    service = shutil.copytree(default_service, tmp_path / "service")
    change(service)
    found = list(INSPECTIONS[inspection](service, ANSWERS))
    assert len(found) == 1
    assert finding in found[0]


def test_every_inspection_has_a_problem() -> None:
    assert {inspection for inspection, *_ in PROBLEMS} == INSPECTIONS.keys()
