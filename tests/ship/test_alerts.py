"""The alert rules pass promtool, whose tests find mutants; each alert has a runbook."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.alerts import VARIANTS, alerts, load, rule_files
from tests.support.baking import Baker
from tests.support.commands import must_run, run
from tests.support.needs import need_promtool
from tests.support.template import ROOT
from tools.own_files import headings

MUTANTS: list[dict[str, str]] = tomllib.loads(
    (ROOT / "tests" / "ship" / "broken_alerts.toml").read_text(encoding="utf-8")
)["mutant"]


@pytest.fixture(scope="module", params=VARIANTS)
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(**VARIANTS[request.param])


@pytest.fixture(scope="module")
def full(cookies_session: Cookies) -> Path:
    need_promtool()
    return Baker(cookies_session).bake(**VARIANTS["full"])


def test_promtool_accepts_the_configuration_and_the_rules(service: Path) -> None:
    need_promtool()
    output = must_run("promtool", "check", "config", "observe/prometheus.yaml", cwd=service)
    assert output.count("rules found") == len(rule_files(service))
    must_run("promtool", "check", "rules", "--lint-fatal", *rule_files(service), cwd=service)


def test_promtool_rejects_an_unknown_field(full: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(full / "observe", tmp_path / "observe")
    rules = copy / "alerts" / "service.yaml"
    rules.write_text(rules.read_text().replace("for: 1m", "during: 1m"))
    assert run("promtool", "check", "config", "prometheus.yaml", cwd=copy).returncode


def test_every_process_is_scraped_by_its_name(service: Path) -> None:
    jobs = load(service / "observe" / "prometheus.yaml")["scrape_configs"]
    names = [name for job in jobs for each in job["dns_sd_configs"] for name in each["names"]]
    processes = [path.stem for path in service.glob("compose/w*.yaml")]
    assert names == [job["job_name"] for job in jobs] == sorted(processes)


def test_the_tests_of_the_rules_pass(service: Path) -> None:
    need_promtool()
    files = [path.parent / "tests" / path.name for path in rule_files(service)]
    assert sorted((service / "observe" / "alerts" / "tests").iterdir()) == files
    must_run("promtool", "test", "rules", *files, cwd=service)


def test_every_alert_fires_in_a_test_and_does_not_in_another(full: Path) -> None:
    for file, rule in alerts(full):
        tests = load(full / "observe" / "alerts" / "tests" / file)["tests"]
        checks = [check for test in tests for check in test["alert_rule_test"]]
        found = {bool(c["exp_alerts"]) for c in checks if c["alertname"] == rule["alert"]}
        assert found == {True, False}, rule["alert"]


def test_every_alert_has_a_severity_and_a_runbook(service: Path) -> None:
    page = (service / "docs" / "observe.md").read_text(encoding="utf-8")
    listed = re.findall("^### (.+)$", page.partition("## Alerts")[2], re.MULTILINE)
    names = [rule["alert"] for _, rule in alerts(service)]
    assert sorted(listed) == sorted(set(names))
    for name, rule in zip(names, (rule for _, rule in alerts(service)), strict=True):
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        path, _, heading = rule["annotations"]["runbook_url"].partition("#")
        assert path == "docs/observe.md"
        assert heading in headings(page), name
        assert heading == name.lower()


def test_every_alert_has_a_mutant(full: Path) -> None:
    mutated = {(mutant["file"], mutant["alert"]) for mutant in MUTANTS}
    assert mutated == {(file, rule["alert"]) for file, rule in alerts(full)}


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=[f"{each['alert']}: {each['new'] or each['old']}" for each in MUTANTS]
)
def test_the_tests_of_the_rules_find_a_mutant(
    full: Path, tmp_path: Path, mutant: dict[str, str]
) -> None:
    copy = shutil.copytree(full / "observe" / "alerts", tmp_path / "alerts")
    rules = copy / mutant["file"]
    text = rules.read_text(encoding="utf-8")
    assert mutant["old"] in text
    rules.write_text(text.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    must_run("promtool", "check", "rules", rules, cwd=copy)
    done = run("promtool", "test", "rules", copy / "tests" / mutant["file"], cwd=copy)
    assert done.returncode
    assert f"alertname: {mutant['alert']}, time:" in done.stdout + done.stderr
