"""The files that deploy/README.md refers to exist; `tests/cluster` runs its command lines."""

import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.kubernetes_manifests import Object, kustomize, parse

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")

SERVICES: dict[str, dict[str, Any]] = {
    "default": {},
    "bare": {"database": "none", "ci": "none"},
    "mongodb": {"database": "mongodb", "ci": "gitlab"},
    "full": {"worker": True, "redis": True, "ci": "circleci"},
    "hardest": {"project_slug": "w" * 30, "package_name": "z" * 30, "ci": "azure"},
}


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(kubernetes=True, **SERVICES[request.param])


@cache
def overlays(service: Path) -> dict[str, list[Object]]:
    folders = (service / "deploy" / "overlays").iterdir()
    return {folder.name: parse(kustomize(folder)) for folder in folders}


def test_files_on_the_page_exist(service: Path) -> None:
    text = (service / "deploy" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:deploy|base|overlays|components)/[\w./-]*)`", text))
    assert len(named) >= 6
    for name in named:
        assert (service / "deploy" / name.removeprefix("deploy/")).exists(), name


def test_role_has_the_permissions_that_a_deployment_needs(service: Path) -> None:
    role, binding = yaml.safe_load_all((service / "deploy" / "access.yaml").read_text())
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    verbs = {
        resource: set(rule["verbs"]) for rule in role["rules"] for resource in rule["resources"]
    }
    assert not {verb for each in verbs.values() for verb in each} & {"*", "escalate", "bind"}
    assert verbs["secrets"] == verbs["namespaces"] == {"get"}
    for overlay in ("staging", "production"):
        for kind in {found["kind"] for found in overlays(service)[overlay]} - {"Namespace"}:
            plural = re.sub("ys$", "ies", f"{kind.lower()}s").replace("sss", "sses")
            assert verbs[plural] >= {"get", "create", "patch"}, kind
