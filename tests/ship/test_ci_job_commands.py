"""Every command of a CI job is known, and none caches or downloads code to run."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.ci_services import Services
from tests.support.pipeline_contract import CHECKED, DEPLOYS, RELEASED, ROLLBACK, WEEKLY
from tools.ci_dialects import SCHEMAS, documents

PREPARE = [
    r"apt-get update -qq( && apt-get install .*)?",
    r"apt-get install -qq --yes --no-install-recommends git make \$PACKAGES > /dev/null",
    r"pipx? install --quiet( --root-user-action=ignore)? uv==[\d.]+|pipx install uv==[\d.]+",
    r'sudo docker cp "\$\(docker create registry.k8s.io/kubectl:v[\d.]+\)":/bin/kubectl /usr/local/bin/',
    r"(export )?REGISTRY_(USER|TOKEN).*",
    r"export AZURE_CLIENT_ID=\S+ AZURE_TENANT_ID=\S+ AZURE_FEDERATED_TOKEN_FILE=.reports/azure-token",
    r'mkdir -p .reports|printf %s "\$idToken" > "\$AZURE_FEDERATED_TOKEN_FILE"',
]
"""What jobs do before they call make: they install what it needs, and say who they are."""
PROPOSE = r"python3 -m dev\.(merge_request|azure_pull_request|proposed_branch)"
SCRIPTS = {"script", "before_script", "run", "command", "inlineScript"}


def lines(document: Any, key: str = "") -> Iterator[str]:
    """Yield each line that some shell is given."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from lines(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from lines(value, key)
    elif key in SCRIPTS:
        yield from str(document).splitlines()


@pytest.mark.parametrize("provider", SCHEMAS)
def test_each_line_that_a_job_runs_is_known(services: Services, provider: str) -> None:
    parts = (CHECKED, RELEASED, DEPLOYS, WEEKLY, ROLLBACK)
    known = {
        run.partition(" OVERLAY")[0] for part in parts for s in part.values() for run in s.runs
    }
    for _, document in documents(services(provider)).values():
        found = list(lines(document))
        assert found
        for line in found:
            plain = line.partition(" OVERLAY")[0]
            allowed = plain in known | {"make $TARGETS"} or re.fullmatch(PROPOSE, line)
            assert allowed or any(re.fullmatch(each, line) for each in PREPARE), line


@pytest.mark.parametrize("provider", SCHEMAS)
def test_nothing_is_cached_and_nothing_is_fetched_to_be_run(
    services: Services, provider: str
) -> None:
    for _, document in documents(services(provider)).values():
        text = yaml.safe_dump(document)
        assert not re.search(r"\b(restore_cache|save_cache|cache|curl -|wget -)", text, re.IGNORECASE)
