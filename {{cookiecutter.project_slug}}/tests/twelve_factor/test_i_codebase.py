"""I. Codebase: one codebase tracked in revision control, many deploys."""

import ast
import json
import re
import subprocess
from contextlib import ExitStack

from ..support.service import Service, free_ports
from .project import LIST_COMMITTED, ROOT, git, is_committed, syntax_trees, tracked
from .report import Measure

ENVIRONMENTS = {"development", "local", "prod", "production", "qa", "stage", "staging"}
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36}"
    r"|\bxox[abpr]-[A-Za-z0-9-]{10,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."
    r"|(?i:password|passwd|secret|token|api_?key) *[:=] *[\"'][A-Za-z0-9+/_-]{24,}[\"']"
)


def test_the_service_is_committed() -> None:
    done = subprocess.run(LIST_COMMITTED, cwd=ROOT, capture_output=True, text=True, check=False)
    type_this = "git init --initial-branch=main && git add --all && git commit"
    assert done.stdout, f"no file is committed: {type_this}\n{done.stderr}"


def test_deploys_of_one_commit_report_its_revision(
    environment: dict[str, str], measure: Measure
) -> None:
    commit = git("rev-parse", "HEAD").strip() if is_committed() else "0" * 40
    deploys = [{"LOG_LEVEL": "debug"}, {"LOG_LEVEL": "info"}, {"DRAIN_SECONDS": "9"}]
    with ExitStack() as stack:
        services = [
            stack.enter_context(Service(environment | free_ports() | deploy | {"REVISION": commit}))
            for deploy in deploys
        ]
        revisions = {service.get("/version").json()["revision"] for service in services}
    revisions |= {json.loads(line)["revision"] for service in services for line in service.lines}
    measure("deploys of one commit", len(services), "processes")
    assert revisions == {commit}


def test_no_file_is_named_after_an_environment(measure: Measure) -> None:
    names = {
        str(path.relative_to(ROOT)): re.split(r"[^a-z]+", path.name.lower())
        for path in tracked()
        if path.suffix in {".py", ".toml", ".yaml", ".yml", ".env", ".ini", ".json", ".cfg"}
        or path.name.startswith(".env")
    }
    measure("file names checked", len(names), "files", at_least=1)
    assert not [name for name, words in names.items() if ENVIRONMENTS.intersection(words)]


def test_code_does_not_depend_on_the_name_of_the_environment(measure: Measure) -> None:
    trees = list(syntax_trees())
    compared = [
        (path.name, side.value)
        for path, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant)
    ]
    measure("code checked", len(trees), "modules", at_least=5)
    assert not [(name, value) for name, value in compared if str(value).lower() in ENVIRONMENTS]


def test_no_commit_contains_a_secret(measure: Measure) -> None:
    if is_committed():
        text = git("log", "--all", "--patch")
    else:
        text = "\n".join(path.read_text(encoding="utf-8") for path in tracked())
        text = text.replace("\n", "\n+")
    added = [line for line in text.splitlines() if line.startswith("+")]
    measure("history searched for secrets", len(added), "lines", at_least=100)
    assert not [line for line in added if SECRETS.search(line)]


def test_git_ignores_the_file_of_secrets() -> None:
    assert git("check-ignore", ".env").strip() == ".env"
    assert tracked(".env.example")
