"""A newer release, or another answer, reaches a service that a team has edited."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.template import OPTIONS
from tests.support.template_releases import (
    NEWER,
    NO_MORE,
    NOT_YET,
    OLDER,
    commit,
    contents,
    create,
    cruft,
    git,
    publish,
    replace,
)
from tests.support.variants import VALUES, deciding
from tools.pythons import UV, outside

pytestmark = pytest.mark.minutes

Made = Callable[..., Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("releases") / "template")


@pytest.fixture(scope="session")
def rendering(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return the render of a release with some answers; it is made once, and not to be changed."""
    made: dict[str, Path] = {}

    def render(version: str, **answers: Any) -> Path:
        key = json.dumps([version, answers])
        if key not in made:
            folder = tmp_path_factory.mktemp("render") / "in"
            made[key] = create(template, version, folder, **answers)
        return made[key]

    return render


@pytest.fixture
def owned(rendering: Made, tmp_path: Path) -> Made:
    """Return a service of somebody's, under version control, edited by a function."""

    def own(version: str, edit: Callable[[Path], None], **answers: Any) -> Path:
        folder = tmp_path / "service"
        shutil.copytree(rendering(version, **answers), folder)
        commit(folder)
        edit(folder)
        if git(folder, "status", "--porcelain"):
            commit(folder)
        return folder

    return own


def nothing(_: Path) -> None:
    """Edit nothing."""


def as_a_team_does(service: Path) -> None:
    """Change the example, add a dependency, a setting and a migration, and say so."""
    (package,) = service.glob("src/*")
    fulfilled = '    FULFILLED = "fulfilled"\n'
    replace(package / "domain/orders.py", fulfilled, f'{fulfilled}    CANCELLED = "cancelled"\n')
    replace(package / "api/orders.py", "max_length=200", "max_length=250")
    line = f"{httptools(service)}\n"
    replace(service / "pyproject.toml", line, f'{line}    "idna==3.20",\n')
    setting = '    greeting: str = Field(default="hello", description="What is said first.")\n'
    replace(package / "settings.py", "    revision: str", f"{setting}    revision: str")
    row = "| `GREETING` | `hello` | What is said first. |\n"
    replace(service / "README.md", "| `REVISION`", f"{row}| `REVISION`")
    replace(service / "README.md", "Takes orders over HTTP.", "Takes orders, gives greetings.")
    text = "# What is said first.\nGREETING=hello\n# Commit that"
    replace(service / ".env.example", "# Commit that", text)
    first = (service / "migrations/versions/0001_orders.py").read_text()
    own = (
        first.replace('"0001"', '"0002"').replace("= None", '= "0001"').replace("orders", "rebates")
    )
    (service / "migrations/versions/0002_rebates.py").write_text(own)
    with (service / "LICENSE").open("a") as license_text:
        license_text.write("Ask us for another.\n")


def httptools(service: Path) -> str:
    lines = (service / "pyproject.toml").read_text().splitlines()
    (line,) = [line for line in lines if '"httptools==' in line]
    return line


EXAMPLE = "src/*/domain/orders.py", "src/*/api/orders.py", "tests/*order*.py", "migrations/versions"


def without_the_example(service: Path) -> None:
    """Delete files of the example resource."""
    for pattern in EXAMPLE:
        for path in list(service.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def edited(service: Path, edit: Callable[[Path], None], folder: Path) -> dict[str, bytes]:
    """Return what a render holds after an edit."""
    shutil.copytree(service, folder)
    edit(folder)
    return contents(folder)


def conflicts(service: Path) -> list[str]:
    """Return the files that hold a conflict, and those with rejected hunks."""
    unmerged = git(service, "diff", "--name-only", "--diff-filter=U").splitlines()
    return unmerged + [str(path.relative_to(service)) for path in service.rglob("*.rej")]


def state(service: Path) -> Any:
    return json.loads((service / ".cruft.json").read_text())


def make_update(service: Path, **answers: Any) -> subprocess.CompletedProcess[str]:
    """Run `make update` as somebody would."""
    given = [f"ANSWERS={json.dumps(answers)}"] if answers else []
    return subprocess.run(
        ["make", "--silent", f"UV={UV}", "update", *given],
        cwd=service,
        env=outside(),
        capture_output=True,
        text=True,
        check=False,
    )


def must_update(service: Path, **answers: Any) -> str:
    done = make_update(service, **answers)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cruft_update(service: Path) -> None:
    """Update by cruft's own means."""
    cruft(service, "update", "--skip-apply-ask")


@pytest.mark.parametrize("update", [cruft_update, must_update])
@pytest.mark.parametrize("edit", [nothing, as_a_team_does, without_the_example])
def test_a_newer_release_changes_all_but_what_was_edited(
    edit: Callable[[Path], None],
    update: Callable[[Path], object],
    owned: Made,
    rendering: Made,
    tmp_path: Path,
) -> None:
    service, newer = owned(OLDER, edit), rendering(NEWER)
    update(service)
    assert conflicts(service) == []
    assert contents(service) == edited(newer, edit, tmp_path / "edited")
    assert state(service)["commit"] == state(newer)["commit"]
    assert state(service)["context"] == state(newer)["context"]
    assert state(service)["template"] == state(newer)["template"]


def test_the_older_release_differs_in_files_lines_and_manifest(rendering: Made) -> None:
    older, newer = contents(rendering(OLDER)), contents(rendering(NEWER))
    assert len(newer.keys() - older.keys()) == len(NOT_YET)
    assert older.keys() - newer.keys() == {NO_MORE}
    assert sum(older[name] != newer[name] for name in older.keys() & newer.keys()) > 7


def test_a_line_that_both_have_changed_is_the_only_conflict(owned: Made, rendering: Made) -> None:
    def edit(service: Path) -> None:
        (line,) = re.findall('"fastapi>.*', (service / "pyproject.toml").read_text())
        replace(service / "pyproject.toml", line, '"fastapi==0.9",')

    service, newer = owned(OLDER, edit), contents(rendering(NEWER))
    cruft(service, "update", "--skip-apply-ask")
    assert conflicts(service) == ["pyproject.toml"]
    now = contents(service)
    merged = now.pop("pyproject.toml").decode()
    theirs = re.sub(r"<<<<<<< .*\n(?:.*\n)=======\n(.*\n)>>>>>>> .*\n", r"\1", merged)
    assert theirs.encode() == newer.pop("pyproject.toml")
    assert now == newer


SWITCHES = {
    option: {option: values[-1]}
    for option, values in VALUES.items()
    if option in OPTIONS and len(values) > 1
}
"""One other answer to each question that has several."""
CODED = deciding("src/")
"""Those that decide on code; the rest is proved apart, since each takes as long."""


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(answer, id=option, marks=[] if option in CODED else [pytest.mark.proof])
        for option, answer in SWITCHES.items()
    ],
)
def test_an_answer_can_be_changed_later_and_a_yes_taken_back(
    answers: dict[str, Any], owned: Made, rendering: Made, tmp_path: Path
) -> None:
    edit = nothing if "database" in answers else as_a_team_does
    service = owned(NEWER, edit)
    before, license_text = contents(service), (service / "LICENSE").read_bytes()
    first = {name: state(service)["context"]["cookiecutter"][name] for name in answers}

    must_update(service, **answers)
    assert conflicts(service) == []
    changed = edited(rendering(NEWER, **answers), edit, tmp_path / "edited")
    assert contents(service) == changed | {"LICENSE": license_text}
    if all(isinstance(answer, bool) for answer in answers.values()):
        commit(service)
        must_update(service, **first)
        assert conflicts(service) == []
        assert contents(service) == before


def test_what_cannot_be_merged_is_named_beside_what_is_new(
    owned: Made, rendering: Made, tmp_path: Path
) -> None:
    def edit(service: Path) -> None:
        (line,) = re.findall('"fastapi>.*', (service / "pyproject.toml").read_text())
        replace(service / "pyproject.toml", line, f"{line}  # Ours.")
        replace(service / NO_MORE, "Retired", "Not yet retired")
        (service / "tests/test_stdout.py").write_text('"""Ours."""\n')

    origin, service = owned(OLDER, edit), tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{origin}", service.name)
    said = must_update(service)
    in_conflict = {NO_MORE, "pyproject.toml", "tests/test_stdout.py"}
    assert set(conflicts(service)) == in_conflict
    lines = (service / "pyproject.toml").read_text().splitlines()
    where = f"both sides stand there, from line {lines.index('<<<<<<< HEAD') + 1}"
    assert f"- `pyproject.toml`: {where}\n" in said
    assert "- `tests/test_stdout.py`: both sides stand there, from line 1\n" in said
    assert f"- `{NO_MORE}`: one side edited, the other deleted it\n" in said
    assert said.startswith(f"# Template: {NEWER}\n\nThis was made from {OLDER}.")
    assert said.endswith(
        "### BREAKING\n\nRename the widgets.\n\n### New\n\n- Cross-origin requests.\n\n"
    )
    assert f"## {OLDER}" not in said
    assert (service / ".reports/template-update.md").read_text() == said
    now, newer = contents(service), contents(rendering(NEWER))
    assert {n for n in now.keys() | newer.keys() if now.get(n) != newer.get(n)} == in_conflict


def test_a_service_in_a_folder_of_its_repository_is_updated_there(
    rendering: Made, tmp_path: Path
) -> None:
    service = tmp_path / "all" / "services" / "orders"
    service.parent.mkdir(parents=True)
    shutil.copytree(rendering(OLDER), service)
    as_a_team_does(service)
    commit(tmp_path / "all")
    must_update(service)
    changed = git(tmp_path / "all", "status", "--porcelain").splitlines()
    assert {line[3:].split("/")[0] for line in changed} == {"services"}
    assert contents(service) == edited(rendering(NEWER), as_a_team_does, tmp_path / "edited")


def test_a_service_of_the_newest_release_has_nothing_to_do(owned: Made) -> None:
    service = owned(NEWER, nothing)
    assert must_update(service) == f"Nothing to do: this is made from {NEWER}, the newest.\n"
    assert git(service, "status", "--porcelain") == ""


def test_what_follows_the_newest_release_is_not_taken_back(
    template: Path, owned: Made, tmp_path: Path
) -> None:
    ahead = shutil.copytree(template, tmp_path / "ahead")
    replace(ahead / "CHANGELOG.md", "# Changelog", "# Changes")
    commit(ahead)
    service = owned(NEWER, nothing)
    replace(service / ".cruft.json", str(template), str(ahead))
    replace(service / ".cruft.json", state(service)["commit"], git(ahead, "rev-parse", "HEAD")[:-1])
    commit(service)
    assert re.match(rf"Nothing to do: this is made from {NEWER}-1-g\w+, the", must_update(service))


def test_changes_that_are_not_committed_are_not_touched(owned: Made) -> None:
    service = owned(OLDER, nothing)
    replace(service / "Makefile", "Stop the containers", "Stop them")
    before = contents(service)
    done = make_update(service)
    assert done.returncode != 0
    assert done.stderr.startswith("make update: commit your changes first")
    assert contents(service) == before


def test_a_service_that_knows_no_template_is_told_how_to_link_it(owned: Made) -> None:
    service = owned(OLDER, lambda folder: (folder / ".cruft.json").unlink())
    said = must_update(service)
    assert said.count("\n") == 1
    assert "uvx cruft link" in said


def test_an_answer_to_no_question_is_refused(owned: Made) -> None:
    done = make_update(owned(NEWER, nothing), reddis=True)
    assert done.returncode != 0
    assert done.stderr.startswith("make update: there is no question reddis\n")


def test_answers_that_the_template_refuses_change_nothing(owned: Made) -> None:
    service = owned(NEWER, nothing)
    done = make_update(service, package_name="import")
    assert done.returncode != 0
    assert "package_name: 'import' is a keyword of Python" in done.stderr
    assert git(service, "status", "--porcelain") == ""


GH = """\
#!/bin/sh
case "$1 $2" in
"pr list") cat "$LISTED" ;;
"pr create") printf '%s\\n' "$@" > "$CREATED" && cat >> "$CREATED" && echo made ;;
*) exit 1 ;;
esac
"""


def propose(service: Path, tmp_path: Path, listed: str = "") -> str:
    """Run the workflow's last step as it stands, with a `gh` that writes down what it is told."""
    workflow = yaml.safe_load((service / ".github/workflows/template-update.yml").read_text())
    step = workflow["jobs"]["update"]["steps"][-1]
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin/gh").write_text(GH)
    (tmp_path / "bin/gh").chmod(0o755)
    (tmp_path / "listed").write_text(listed)
    variables = {"LISTED": str(tmp_path / "listed"), "CREATED": str(tmp_path / "created")}
    path = f"{tmp_path / 'bin'}:{outside()['PATH']}"
    return subprocess.run(
        ["sh", "-ec", step["run"]],
        cwd=service,
        env=outside() | variables | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_workflow_proposes_an_update_once_and_leaves_workflows_out(
    owned: Made, tmp_path: Path
) -> None:
    origin = tmp_path / "origin"
    git(tmp_path, "init", "--quiet", "--bare", origin.name)
    service = owned(OLDER, nothing)
    git(service, "remote", "add", "origin", str(origin))
    assert propose(service, tmp_path) == "There is nothing to propose.\n"
    must_update(service)
    said = propose(service, tmp_path, listed="https://forge.example/1")
    assert said == "It was proposed before: https://forge.example/1\n"
    assert git(origin, "branch", "--list") == ""
    assert propose(service, tmp_path) == "made\n"
    branch = f"template-{state(service)['commit'][:12]}"
    told = (tmp_path / "created").read_text()
    assert f"--head\n{branch}\n--title\nTemplate: {NEWER}\n" in told
    assert "Rename the widgets." in told
    assert "-    timeout-minutes: 21\n+    timeout-minutes: 20\n" in told
    pushed = git(origin, "show", "--name-only", "--format=", branch).splitlines()
    assert {".cruft.json", "Makefile"} <= set(pushed)
    assert not [name for name in pushed if name.startswith(".github")]


@pytest.mark.proof
def test_an_edited_service_passes_its_checks_and_its_own_tests_after_an_update(
    owned: Made,
) -> None:
    service = owned(OLDER, as_a_team_does)
    must_make(service, "setup")
    commit(service)
    before = (service / "uv.lock").read_bytes()
    assert "could not be resolved" not in must_update(service)
    assert (service / "uv.lock").read_bytes() != before
    commit(service)
    must_make(service, "setup", "check", "test")
    # The history holds `.cruft.json` now, and no secret.
    codebase = "tests/twelve_factor/test_i_codebase.py"
    must_run(service, UV, "run", "--quiet", "pytest", "--quiet", codebase)


def must_make(service: Path, *targets: str) -> None:
    must_run(service, "make", f"UV={UV}", *targets)


def must_run(service: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=service, env=outside(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
