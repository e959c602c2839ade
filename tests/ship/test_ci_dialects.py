"""The pipelines of all providers say the same, each in its own words."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.stages import Pipeline, Stage, pipeline
from tests.support.template import OPTIONS
from tools import spellings

from .test_github_workflows import edited

PROVIDERS = [value for value in OPTIONS["ci"] if value != "none"]


def stage(runs: str, after: str = "", takes: str = "", keeps: str = "") -> Stage:
    """Return a stage from words between blanks."""
    return Stage((runs,), set_of(after), takes=set_of(takes), keeps=set_of(keeps))


def set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


PROPOSED = {
    "check": stage("make check"),
    "test": stage("make test"),
    "conformance": stage("make conformance"),
    "image": stage("make image smoke save", "check test conformance", keeps="image.tar"),
}
"""What a proposal passes through, as far as it gets."""
DELIVERY = {name: replace(stage, on_proposals=True) for name, stage in PROPOSED.items()} | {
    "scan": stage("make load scan", "image", "image.tar"),
    "publish": stage("make load publish", "scan", "image.tar", "release"),
    "sign": stage("make load sbom sign", "publish", "image.tar release"),
}
STAGING = stage("make verify deploy probe OVERLAY=staging", "sign", "release")
PRODUCTION = stage("make verify deploy probe OVERLAY=production", "staging", "release")
DEPLOYS = {
    "staging": replace(STAGING, environment="staging"),
    "production": replace(PRODUCTION, environment="production", approved=True),
}
WEEKLY = {"audit": Stage(("make audit",)), "update": Stage(("make update", "propose"))}
ROLLBACK = {"rollback": Stage(("make verify deploy probe OVERLAY=… RELEASE=…",))}
"""The contract: what each provider is held to, with Kubernetes and without."""


Services = Callable[[str, bool], Path]


@pytest.fixture(scope="session")
def services(cookies_session: Cookies) -> Services:
    """Return the service of a provider, with Kubernetes or without; each is rendered once."""

    @cache
    def service(provider: str, kubernetes: bool) -> Path:
        return Baker(cookies_session).bake(ci=provider, kubernetes=kubernetes)

    return service


def faults(found: Pipeline, kubernetes: bool) -> Iterator[str]:
    """Yield each difference between a pipeline and the contract."""
    yield from differences("delivery", found.delivery, DELIVERY | (DEPLOYS if kubernetes else {}))
    yield from differences("weekly", found.weekly, WEEKLY)
    yield from differences("by hand", found.by_hand, ROLLBACK if kubernetes else {})
    if not found.delivered_weekly:
        yield "weekly: nothing is delivered again"


def differences(part: str, found: dict[str, Stage], wanted: dict[str, Stage]) -> Iterator[str]:
    """Yield what stages have or lack."""
    yield from (f"{part}: {name} is missing" for name in wanted.keys() - found.keys())
    yield from (f"{part}: {name} is one too many" for name in found.keys() - wanted.keys())
    for name in wanted.keys() & found.keys():
        has, should = vars(found[name]), vars(wanted[name])
        yield from (
            f"{part}: {name} {key} {has[key]!r}, not {should[key]!r}"
            for key in has
            if has[key] != should[key]
        )


@pytest.mark.parametrize("kubernetes", [True, False], ids=["kubernetes", "alone"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_pipeline_is_the_contract(services: Services, provider: str, kubernetes: bool) -> None:
    assert sorted(faults(pipeline(services(provider, kubernetes)), kubernetes)) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_image_is_built_at_one_place(services: Services, provider: str) -> None:
    found = pipeline(services(provider, True))
    parts = (found.delivery, found.weekly, found.by_hand)
    commands = [run.split() for part in parts for s in part.values() for run in s.runs]
    assert sum("image" in command for command in commands) == 1


SCANNED = """\
      needs: [image]
      condition: and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))
"""
MUTANTS = {
    "github-an-image-before-the-tests": (
        ".github/workflows/ci.yml",
        "needs: [check, test, conformance]",
        "needs: [check]",
        "image after",
    ),
    "github-production-beside-staging": (
        ".github/workflows/delivery.yml",
        "needs: staging",
        "needs: release",
        "production after",
    ),
    "github-a-deploy-that-does-not-verify": (
        ".github/workflows/deploy.yml",
        "run: make verify deploy probe",
        "run: make deploy probe",
        "staging runs",
    ),
    "github-no-digest-is-kept": (
        ".github/workflows/release.yml",
        "path: .reports/release\n",
        "path: .reports/releases\n",
        "publish keeps",
    ),
    "gitlab-an-image-before-the-tests": (
        ".gitlab/ci/check.yml",
        "needs: [check, test, conformance]",
        "needs: [check]",
        "image after",
    ),
    "gitlab-production-without-a-yes": (
        ".gitlab/ci/deploy.yml",
        "allow_failure: false",
        "allow_failure: true",
        "production approved",
    ),
    "gitlab-a-release-that-was-not-signed": (
        ".gitlab/ci/deploy.yml",
        "needs: [sign, publish]",
        "needs: [publish]",
        "staging after",
    ),
    "gitlab-a-proposal-is-published": (
        ".gitlab/ci/release.yml",
        "if: $CI_PIPELINE_SOURCE =~ /^(push|schedule)$/",
        "if: $CI_PIPELINE_SOURCE =~ /^(merge_request_event|push|schedule)$/",
        "publish on_proposals",
    ),
    "gitlab-a-week-without-a-delivery": (
        ".gitlab/ci/check.yml",
        "|push|schedule)",
        "|push)",
        "nothing is delivered again",
    ),
    "azure-a-proposal-is-scanned": (
        "azure/release.yml",
        SCANNED,
        "      needs: [image]\n",
        "scan on_proposals",
    ),
    "azure-production-beside-staging": (
        "azure/deploy.yml",
        "needs: [staging]",
        "needs: [sign]",
        "production after",
    ),
    "azure-no-digest-is-kept": ("azure/release.yml", "keeps: [release]", "keeps: []", "keeps"),
    "azure-a-deploy-that-does-not-verify": (
        "azure/overlay.yml",
        "targets: verify deploy",
        "targets: deploy",
        "staging runs",
    ),
    "azure-production-by-another-environment": (
        "azure/overlay.yml",
        "environment: ${{ parameters.overlay }}",
        "environment: staging",
        "production approved",
    ),
    "azure-no-schedule": ("azure-pipelines.yml", "schedules:", "x-schedules:", "nothing is"),
    "circleci-production-without-a-yes": (
        ".circleci/config.yml",
        "requires: [approval]",
        "requires: [staging]",
        "production approved",
    ),
    "circleci-a-proposal-is-published": (
        ".circleci/config.yml",
        "requires: [scan]\n          context: registry\n          filters: *main\n",
        "requires: [scan]\n          context: registry\n",
        "publish on_proposals",
    ),
    "circleci-a-scan-of-nothing": (
        ".circleci/config.yml",
        "          targets: load scan\n          takes: image.tar\n",
        "          targets: load scan\n",
        "scan takes",
    ),
    "circleci-a-rollback-to-what-was-just-published": (
        ".circleci/config.yml",
        " RELEASE=<< pipeline.parameters.release >>",
        "",
        "rollback runs",
    ),
    "circleci-two-builds": (
        ".circleci/config.yml",
        "targets: load publish",
        "targets: image publish",
        "publish runs",
    ),
}
"""By provider and fault: a file, what is replaced in it, by what, and what is said of it."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_pipeline_that_says_something_else_is_found(
    services: Services, tmp_path: Path, mutant: str
) -> None:
    path, old, new, said = MUTANTS[mutant]
    copy = tmp_path / "service"
    shutil.copytree(services(mutant.split("-", maxsplit=1)[0], True), copy)
    (copy / path).write_text(edited((copy / path).read_text(), old, new))
    found = list(faults(pipeline(copy), True))
    assert any(said in fault for fault in found), found


@pytest.mark.parametrize("provider", sorted(spellings.SCHEMAS))
def test_the_schema_of_the_provider_allows_what_is_there(services: Services, provider: str) -> None:
    for kubernetes in (True, False):
        found = spellings.documents(services(provider, kubernetes))
        assert found
        assert {path: spellings.check(*each) for path, each in found.items()} == dict.fromkeys(
            found, ""
        )


@pytest.mark.parametrize(
    ("provider", "document"),
    [
        ("gitlab", {"test": {"script": "make test", "need": []}}),
        ("azure", {"stages": [{"stage": "test", "dependOn": [], "jobs": []}]}),
        ("circleci", {"version": 2.1, "jobs": {"test": {"machin": True, "steps": []}}}),
    ],
)
def test_each_schema_refuses_what_is_wrong(provider: str, document: dict[str, object]) -> None:
    assert "Schema validation errors" in spellings.check(provider, document)
