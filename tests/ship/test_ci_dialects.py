"""The pipelines of all CI providers have the same stages."""

import shutil
from pathlib import Path

import pytest

from tests.support.editing import edit
from tests.support.pipeline_contract import differences
from tests.support.pipelines import AWS, FEATURES, Features, Services, pipeline
from tests.support.template import OPTIONS
from tools import ci_dialects

PROVIDERS = [value for value in OPTIONS["ci"] if value != "none"]


@pytest.mark.parametrize("features", [*FEATURES, AWS], ids="-".join)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_pipeline_fulfils_the_contract(
    services: Services, provider: str, features: Features
) -> None:
    assert sorted(differences(pipeline(services(provider, features)), features)) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_pipeline_builds_the_image_once(services: Services, provider: str) -> None:
    found = pipeline(services(provider))
    parts = (found.delivery, found.weekly, found.manual)
    commands = [run.split() for part in parts for s in part.values() for run in s.runs]
    assert sum("image" in command for command in commands) == 1


SCAN_ON_MAIN = """\
      needs: [image]
      condition: and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))
"""
MUTANTS = {
    "github-image-before-the-tests": (
        ".github/workflows/ci.yml",
        "needs: check",
        "needs: []",
        "image after",
    ),
    "github-production-without-staging": (
        ".github/workflows/delivery.yml",
        "needs: staging",
        "needs: release",
        "production after",
    ),
    "github-deployment-without-verification": (
        ".github/workflows/deploy.yml",
        "run: make login verify deploy probe",
        "run: make login deploy probe",
        "staging runs",
    ),
    "github-digest-not-uploaded": (
        ".github/workflows/release.yml",
        "path: .reports/release\n",
        "path: .reports/releases\n",
        "publish uploads",
    ),
    "github-composite-action-with-a-further-step": (
        ".github/actions/uv/action.yml",
        "  steps:\n",
        "  steps:\n    - {name: Audit, run: make audit, shell: bash}\n",
        "check runs",
    ),
    "gitlab-image-before-the-tests": (
        ".gitlab/ci/check.yml",
        "needs: [check, test, conformance]",
        "needs: [check]",
        "image after",
    ),
    "gitlab-production-without-approval": (
        ".gitlab/ci/deploy.yml",
        "allow_failure: false",
        "allow_failure: true",
        "production approved",
    ),
    "gitlab-deployment-of-an-unsigned-release": (
        ".gitlab/ci/deploy.yml",
        "needs: [sign, publish]",
        "needs: [publish]",
        "staging after",
    ),
    "gitlab-merge-request-published": (
        ".gitlab/ci/release.yml",
        "if: $CI_PIPELINE_SOURCE =~ /^(push|schedule)$/",
        "if: $CI_PIPELINE_SOURCE =~ /^(merge_request_event|push|schedule)$/",
        "publish on_pull_requests",
    ),
    "gitlab-no-weekly-delivery": (
        ".gitlab/ci/check.yml",
        "|push|schedule)",
        "|push)",
        "weekly: no delivery",
    ),
    "azure-pull-request-scanned": (
        "azure/release.yml",
        SCAN_ON_MAIN,
        "      needs: [image]\n",
        "scan on_pull_requests",
    ),
    "azure-production-without-staging": (
        "azure/deploy.yml",
        "needs: [staging]",
        "needs: [sign]",
        "production after",
    ),
    "azure-digest-not-uploaded": ("azure/release.yml", "keeps: [release]", "keeps: []", "uploads"),
    "azure-deployment-without-verification": (
        "azure/overlay.yml",
        "targets: login verify deploy",
        "targets: login deploy",
        "staging runs",
    ),
    "azure-production-in-another-environment": (
        "azure/overlay.yml",
        "environment: ${{ parameters.overlay }}",
        "environment: staging",
        "production approved",
    ),
    "azure-no-schedule": (
        "azure-pipelines.yml",
        "schedules:",
        "x-schedules:",
        "weekly: no delivery",
    ),
    "circleci-production-without-approval": (
        ".circleci/config.yml",
        "requires: [approval]",
        "requires: [staging]",
        "production approved",
    ),
    "circleci-pull-request-published": (
        ".circleci/config.yml",
        "requires: [scan], context: registry, filters: *main}",
        "requires: [scan], context: registry}",
        "publish on_pull_requests",
    ),
    "circleci-scan-without-image": (
        ".circleci/config.yml",
        "targets: scan, takes: image.tar,",
        "targets: scan,",
        "scan downloads",
    ),
    "circleci-rollback-without-release": (
        ".circleci/config.yml",
        " RELEASE=<< pipeline.parameters.release >>",
        "",
        "rollback runs",
    ),
    "circleci-second-build": (
        ".circleci/config.yml",
        "targets: login load publish",
        "targets: login image publish",
        "publish runs",
    ),
}
"""Provider and mutant: file, old and new text, and the expected difference."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_a_pipeline_is_found(services: Services, tmp_path: Path, mutant: str) -> None:
    path, old, new, difference = MUTANTS[mutant]
    copy = shutil.copytree(services(mutant.partition("-")[0]), tmp_path / "service")
    edit(copy / path, old, new)
    found = list(differences(pipeline(copy), FEATURES[-1]))
    assert any(difference in each for each in found), found


def test_inputs_of_a_composite_action_are_not_ignored(tmp_path: Path) -> None:
    step = {"name": "Install uv", "uses": "./.github/actions/uv", "with": {"version": "1"}}
    with pytest.raises(ValueError, match="actions/uv: unsupported keys with"):
        list(ci_dialects.inlined([step], tmp_path))


@pytest.mark.parametrize("provider", sorted(ci_dialects.SCHEMAS))
def test_the_pipelines_are_valid_by_the_schema_of_their_provider(
    services: Services, provider: str
) -> None:
    for features in (*FEATURES, AWS):
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
def test_the_schema_of_each_provider_rejects_an_invalid_pipeline(
    provider: str, document: dict[str, object]
) -> None:
    assert "Schema validation errors" in ci_dialects.schema_errors(provider, document)
