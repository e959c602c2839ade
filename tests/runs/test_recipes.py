"""Every code block of the recipes in `docs/recipes`, performed in a new service, in order."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import run
from tests.support.pages import BLOCK, insert
from tests.support.running import Installed, Web, Worker, install
from tests.support.servers import postgres_server
from tests.support.template import SERVICE
from tests.support.template_releases import commit
from tools.pythons import UV

pytestmark = pytest.mark.slow

RECIPES = "docs/recipes"
NAMED = {"python", "diff"}
"""Languages of blocks that belong to a file, which their first line names."""
TRACE_TEST = """
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from tests.tax.test_client import tax


async def test_the_trace_context_is_passed_on() -> None:
    client, seen = tax(200)
    span = SpanContext(trace_id=1, span_id=2, is_remote=True, trace_flags=TraceFlags(1))
    with use_span(NonRecordingSpan(span)):
        await client.rate("NL")
    assert seen[0].headers["traceparent"] == f"00-{1:032x}-{2:016x}-01"
"""
"""A further test of the page `http-call`."""


def perform(
    service: Path, page: str, edit: Callable[[str], str] = str, sql: Callable[[str], object] = str
) -> None:
    """Perform the blocks of a page: write or insert code, run commands, compare their output."""
    text = (service / RECIPES / f"{page}.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```") // 2 > 0
    for language, path, block in blocks:
        assert (language in NAMED) == bool(path), f"{page}: a block of an unknown form"
        if language == "diff":
            insert(service / path, edit(block))
        elif language == "console":
            run_commands(service, edit(block))
        elif language == "sql":
            sql(block)
        else:
            (service / path).parent.mkdir(parents=True, exist_ok=True)
            (service / path).write_text(block, encoding="utf-8")


def run_commands(service: Path, block: str) -> None:
    """Run each command; its output has the lines that the page shows, with `...` for any text."""
    for command, shown in re.findall(r"(?m)^\$ (.*)\n((?:(?!\$ ).*\n)*)", block):
        installed = re.sub(r"\buv\b(?= (add|run)\b)", UV, command)
        done = run(
            "/bin/sh", "-c", installed, cwd=service, MAKEFLAGS=f"UV={UV}", CONFORMANCE_DOCKER="no"
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{command}\n{output}"
        for line in shown.splitlines():
            parts = map(re.escape, line.split("..."))
            assert re.search(".*".join(parts), output), f"{command}\n{line}\nis not in\n{output}"


@pytest.fixture
def render(cookies: Cookies) -> Callable[..., Installed]:
    """Return a function that renders, sets up and commits a service."""

    def render_with(**answers: Any) -> Installed:
        service = install(Baker(cookies).bake(**answers))
        commit(service.folder)
        return service

    return render_with


def test_a_recipe_is_performed_by_a_test() -> None:
    pages = {path.stem for path in (SERVICE / RECIPES).iterdir()}
    text = Path(__file__).read_text(encoding="utf-8")
    assert pages == set(re.findall(r'perform\(\s*\w+\.folder,\s*"([\w-]+)"', text))


@pytest.mark.parametrize("answers", [{"kubernetes": True}, {"database": "none", "ci": "none"}])
def test_setting_and_call(render: Callable[..., Installed], answers: dict[str, Any]) -> None:
    service = render(**answers)
    perform(service.folder, "setting")
    for path in service.folder.glob("deploy/base/settings.env"):
        assert "TAX_URL=http://localhost:8100\n" in path.read_text()
    perform(service.folder, "http-call")
    (service.folder / "tests/tax/test_trace.py").write_text(TRACE_TEST)
    commit(service.folder)
    checks = ["tests/tax", "tests/twelve_factor/test_iii*.py", "tests/twelve_factor/test_xii*.py"]
    done = run("sh", "-c", f"{UV} run -q pytest {' '.join(checks)}", cwd=service.folder)
    assert done.returncode == 0, done.stdout


def test_testing(render: Callable[..., Installed]) -> None:
    service = render()
    perform(service.folder, "testing")
    assert "\nREQUEST_SECONDS=3600\n" in (service.folder / ".env").read_text()


def test_installation(render: Callable[..., Installed]) -> None:
    service = render()
    registry = re.findall(r'registry = "(.*?)"', (service.folder / "uv.lock").read_text())[0]
    host = registry.partition("://")[2].removesuffix("/simple")
    perform(
        service.folder, "installation", lambda block: block.replace("packages.example.com", host)
    )


def test_scheduled_job(render: Callable[..., Installed]) -> None:
    service = render(worker=True)
    perform(service.folder, "scheduled-job")
    with postgres_server(service) as server:
        variables = {"database_url": server.url, "drain_seconds": 0}
        assert service.run("migrate", **variables).returncode == 0
        with Worker(service, **variables) as worker:
            worker.wait_for("newest orders", task="report", orders=0)


def test_database_roles(render: Callable[..., Installed]) -> None:
    service = render()
    with postgres_server(service) as server, psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        (folder,) = re.findall(r"host=([^&]+)", server.url)
        address = rf"/postgres?user=\1&host={folder}"
        perform(
            service.folder,
            "database-roles",
            lambda block: re.sub(r"(\w+):[\w-]+@db\.example\.com/app", address, block),
            lambda block: admin.execute(block.encode()),
        )
        url = f"postgresql:///postgres?user=app_service&host={folder}"
        rejected = service.run("migrate", database_url=url)
        assert rejected.returncode == 0, rejected.stdout  # Nothing is left to migrate.
        with Web(service, database_url=url, drain_seconds=0) as web:
            assert web.place("tea").status_code == 201
        with (
            psycopg.connect(url) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("DROP TABLE orders")
