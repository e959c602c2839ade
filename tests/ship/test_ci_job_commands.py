"""CI jobs run only known commands, use no cache, and download no code to run."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.pipeline_contract import CHECKS, DEPLOYS, RELEASE, ROLLBACK, WEEKLY
from tests.support.pipelines import AWS, FEATURES, Features, Services
from tools.ci_dialects import SCHEMAS, documents

PREPARE = [
    r"apt-get update -qq( && apt-get install .*)?",
    r"apt-get install -qq --yes --no-install-recommends git make \$PACKAGES > /dev/null",
    r"pipx? install --quiet( --root-user-action=ignore)? uv==[\d.]+|pipx install uv==[\d.]+",
    r'sudo docker cp "\$\(docker create registry.k8s.io/kubectl:v[\d.]+\)":/bin/kubectl \S+',
    r"export( AZURE_(CLIENT_ID|TENANT_ID|FEDERATED_TOKEN_FILE)=\S+)+",
    r'mkdir -p .reports|printf %s "\$idToken" > "\$AZURE_FEDERATED_TOKEN_FILE"',
]
"""Commands before `make`: install its requirements and set credentials."""
SCRIPTS = {"script", "before_script", "run", "command", "inlineScript"}


def lines(document: Any, key: str = "") -> Iterator[str]:
    """Yield all lines of shell scripts."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from lines(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from lines(value, key)
    elif key in SCRIPTS:
        yield from str(document).splitlines()


@pytest.mark.parametrize("features", [FEATURES[-1], AWS], ids="-".join)
@pytest.mark.parametrize("provider", SCHEMAS)
def test_jobs_run_only_known_commands(
    services: Services, provider: str, features: Features
) -> None:
    parts = (CHECKS, RELEASE, DEPLOYS, WEEKLY, ROLLBACK)
    known = {
        run.partition(" OVERLAY")[0] for part in parts for s in part.values() for run in s.runs
    }
    for _, document in documents(services(provider, features)).values():
        found = list(lines(document))
        assert found
        for line in found:
            plain = line.partition(" OVERLAY")[0]
            allowed = plain in known | {"make $TARGETS"}
            assert allowed or any(re.fullmatch(each, line) for each in PREPARE), line


@pytest.mark.parametrize("provider", SCHEMAS)
def test_jobs_use_no_cache_and_download_no_code(services: Services, provider: str) -> None:
    for _, document in documents(services(provider)).values():
        text = yaml.safe_dump(document)
        assert not re.search(
            r"\b(restore_cache|save_cache|cache|curl -|wget -)", text, re.IGNORECASE
        )
