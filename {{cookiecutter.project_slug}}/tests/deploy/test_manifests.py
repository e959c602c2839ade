"""Each overlay and component is complete, and consistent with the settings and with Compose."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from . import compose, network, pods, references, settings
from .manifests import ROOT, Object, processes, render

DEPLOY = ROOT / "deploy"
OVERLAYS = sorted(path.parent for path in DEPLOY.glob("overlays/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent for path in DEPLOY.glob("components/*/kustomization.yaml"))

type Check = Callable[[list[Object]], Iterator[str]]

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        references.selectors,
        references.names,
        references.ports,
        settings.variables,
        settings.secrets,
        network.default_deny,
        network.narrow_rules,
        network.egress,
        network.ingress,
        pods.probes,
        pods.grace_period,
        pods.node_drains,
        pods.connection_pools,
        pods.privileges,
        compose.same_commands,
    )
}
"""Each check yields its findings: `object: field: problem`."""

rendered = cache(render)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_overlay_passes(overlay: Path, check: str) -> None:
    assert processes(rendered(overlay))
    assert list(CHECKS[check](rendered(overlay))) == []


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda path: path.name)
def test_component_passes_in_an_overlay_without_it(component: Path, tmp_path: Path) -> None:
    others = [each for each in OVERLAYS if not uses(each, component)]
    lines = ["resources:", f"  - {os.path.relpath(others[0], tmp_path.resolve())}"]
    lines += ["components:", f"  - {os.path.relpath(component, tmp_path.resolve())}"]
    (tmp_path / "kustomization.yaml").write_text("\n".join(lines), encoding="utf-8")
    objects = render(tmp_path)
    assert objects != rendered(others[0])
    assert [finding for check in CHECKS.values() for finding in check(objects)] == []


def uses(overlay: Path, component: Path) -> bool:
    text = (overlay / "kustomization.yaml").read_text(encoding="utf-8")
    return f"components/{component.name}\n" in text
