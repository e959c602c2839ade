"""The pages on the first resource and its job, performed literally in a new service."""

from typing import Any

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import make, must_run
from tests.support.pages import perform
from tests.support.running import Installed, Web, Worker, install
from tests.support.servers import postgres_server
from tests.support.template_releases import commit, git

PAGE, STORE = "docs/first-resource.md", "A store"
GENERIC = "replicas or acknowledged or another_database or in_flight or slow_request or validation"
"""Checks of the factors that need a resource of the service."""

pytestmark = pytest.mark.slow


def new_service(cookies: Cookies, **answers: Any) -> Installed:
    service = install(Baker(cookies).bake(**answers))
    commit(service.folder)
    return service


def changes(service: Installed) -> tuple[list[str], list[str]]:
    """Return the new and the edited files."""
    lines = git(service.folder, "status", "--porcelain", "-uall").splitlines()
    new, edited = ([line[3:] for line in lines if line[1] == state] for state in "?M")
    return new, edited


def test_a_resource_is_six_new_and_three_edited_files(cookies_session: Cookies) -> None:
    service = new_service(cookies_session)
    assert make(service.folder, "without-example").returncode == 0
    commit(service.folder)
    # From `cookiecutter` to a committed resource: with it, setup, and two commits (init, add,
    # commit; `make without-example`; add, commit) a developer enters ten commands.
    assert perform(service.folder, "docs/postgresql.md", STORE) == 1
    assert perform(service.folder, PAGE) == 1
    new, edited = changes(service)
    assert (len(new), len(edited)) == (6, 3)
    assert (service.folder / "migrations/versions/0001_invoices.py").exists()
    commit(service.folder)
    checks = [service.python, "-m", "pytest", "tests/twelve_factor", "-k", GENERIC]
    done = must_run(*checks, cwd=service.folder, CONFORMANCE_DOCKER="no")
    assert "7 passed" in done
    assert "skipped" not in done


def test_a_resource_in_mongodb_is_five_new_and_three_edited_files(
    cookies_session: Cookies, mongodb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_URL", mongodb_url)
    service = new_service(cookies_session, database="mongodb")
    assert make(service.folder, "without-example").returncode == 0
    commit(service.folder)
    assert perform(service.folder, "docs/mongodb.md", STORE) == 0
    assert perform(service.folder, PAGE) == 1
    new, edited = changes(service)
    assert (len(new), len(edited)) == (5, 3)


def test_a_resource_beside_the_example_has_a_job(cookies_session: Cookies) -> None:
    service = new_service(cookies_session, worker=True)
    perform(service.folder, "docs/postgresql.md", STORE)
    perform(service.folder, PAGE)
    perform(service.folder, "docs/worker.md")
    new, edited = changes(service)
    assert (len(new), len(edited)) == (7, 4)
    done = make(service.folder, "format", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    must_run(service.python, "-m", "pytest", "tests/invoices", "tests/orders", cwd=service.folder)
    with postgres_server(service) as server:
        variables = {"database_url": server.url, "drain_seconds": 0}
        assert service.run("migrate", **variables).returncode == 0
        with Web(service, **variables) as web, Worker(service, **variables) as worker:
            schemas = web.get("/openapi.json").json()["components"]["schemas"]
            example = schemas["NewInvoice"]["examples"][0]
            assert httpx.post(f"{web.url}/invoices", json=example).status_code == 201
            worker.wait_for("invoice sent", amount=example["amount"], task="send_invoice")
