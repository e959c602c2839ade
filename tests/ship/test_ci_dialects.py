"""The pipelines of all CI providers have the same stages."""

import shutil
from pathlib import Path

import pytest

from tests.support.ci_services import FEATURES, Services
from tests.support.editing import edited
from tests.support.pipeline_contract import faults
from tests.support.pipelines import pipeline
from tests.support.template import OPTIONS
from tools import ci_dialects

PROVIDERS = [value for value in OPTIONS["ci"] if value != "none"]


@pytest.mark.parametrize("features", FEATURES, ids="-".join)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_pipeline_fulfils_the_contract(
    services: Services, provider: str, features: tuple[str, ...]
) -> None:
    assert sorted(faults(pipeline(services(provider, features)), features)) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_image_is_built_at_one_place(services: Services, provider: str) -> None:
    found = pipeline(services(provider))
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
        "run: make login verify deploy probe",
        "run: make login deploy probe",
        "staging runs",
    ),
    "github-no-digest-is-kept": (
        ".github/workflows/release.yml",
        "path: .reports/release\n",
        "path: .reports/releases\n",
        "publish keeps",
    ),
    "github-an-action-that-does-more-than-its-name": (
        ".github/actions/uv/action.yml",
        "  steps:\n",
        "  steps:\n    - {name: Audit, run: make audit, shell: bash}\n",
        "check runs",
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
        "targets: login verify deploy",
        "targets: login deploy",
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
        "          targets: scan\n          takes: image.tar\n",
        "          targets: scan\n",
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
        "targets: login load publish",
        "targets: login image publish",
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
    shutil.copytree(services(mutant.split("-", maxsplit=1)[0]), copy)
    (copy / path).write_text(edited((copy / path).read_text(), old, new))
    found = list(faults(pipeline(copy), FEATURES[-1]))
    assert any(said in fault for fault in found), found


def test_a_composite_action_with_inputs_is_not_read_as_one_without(tmp_path: Path) -> None:
    step = {"name": "Install uv", "uses": "./.github/actions/uv", "with": {"version": "1"}}
    with pytest.raises(ValueError, match="actions/uv: unsupported keys with"):
        list(ci_dialects.inlined([step], tmp_path))


@pytest.mark.parametrize("provider", sorted(ci_dialects.SCHEMAS))
def test_the_schema_of_the_provider_allows_what_is_there(services: Services, provider: str) -> None:
    for features in FEATURES:
        found = ci_dialects.documents(services(provider, features))
        assert found
        assert {
            path: ci_dialects.schema_errors(*each) for path, each in found.items()
        } == dict.fromkeys(found, "")


@pytest.mark.parametrize(
    ("provider", "document"),
    [
        ("gitlab", {"test": {"script": "make test", "need": []}}),
        ("azure", {"stages": [{"stage": "test", "dependOn": [], "jobs": []}]}),
        ("circleci", {"version": 2.1, "jobs": {"test": {"machin": True, "steps": []}}}),
    ],
)
def test_each_schema_refuses_what_is_wrong(provider: str, document: dict[str, object]) -> None:
    assert "Schema validation errors" in ci_dialects.schema_errors(provider, document)
