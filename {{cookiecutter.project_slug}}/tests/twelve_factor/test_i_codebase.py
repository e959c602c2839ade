"""I. Codebase: one codebase tracked in revision control, many deploys."""

import ast
import re
from contextlib import ExitStack

from ..support.service import Service, free_ports
from .project import ROOT, SOURCE, git, syntax_trees, tracked
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


def test_it_is_a_repository_that_running_the_service_does_not_change(
    environment: dict[str, str], measure: Measure
) -> None:
    measure("history", int(git("rev-list", "--count", "HEAD")), "commits", at_least=1)
    before = git("status", "--porcelain")
    with Service(environment) as service:
        assert service.get("/livez").status_code == 200
        service.terminate()
        assert service.wait() == 0
    assert git("status", "--porcelain") == before


def test_one_commit_serves_many_deploys(environment: dict[str, str], measure: Measure) -> None:
    commit = git("rev-parse", "HEAD").strip()
    deploys = [{"LOG_LEVEL": "debug"}, {"LOG_LEVEL": "info"}, {"DRAIN_SECONDS": "9"}]
    with ExitStack() as stack:
        running = [
            stack.enter_context(Service(environment | free_ports() | deploy | {"REVISION": commit}))
            for deploy in deploys
        ]
        revisions = {service.get("/version").json()["revision"] for service in running}
    measure("deploys", len(running), "processes")
    assert revisions == {commit}


def test_no_file_is_for_one_environment_alone(measure: Measure) -> None:
    names = {
        str(path.relative_to(ROOT)): re.split(r"[^a-z]+", path.name.lower())
        for path in tracked()
        if path.suffix in {".py", ".toml", ".yaml", ".yml", ".env", ".ini", ".json", ".cfg"}
        or path.name.startswith(".env")
    }
    measure("tracked", len(names), "files that could configure", at_least=1)
    assert not [name for name, words in names.items() if ENVIRONMENTS.intersection(words)]


def test_no_code_asks_where_it_runs(measure: Measure) -> None:
    compared = [
        (path.name, side.value)
        for path, tree in syntax_trees(SOURCE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant)
    ]
    measure("read", len(list(syntax_trees(SOURCE))), "modules", at_least=5)
    assert not [found for found in compared if str(found[1]).lower() in ENVIRONMENTS]


def test_no_commit_holds_a_secret(measure: Measure) -> None:
    added = [line for line in git("log", "--all", "--patch").splitlines() if line.startswith("+")]
    measure("searched", len(added), "lines of history", at_least=100)
    assert not [line for line in added if SECRETS.search(line)]


def test_what_holds_secrets_cannot_be_added() -> None:
    assert git("check-ignore", ".env").strip() == ".env"
    assert tracked(".env.example")
