"""What each overlay asks a cluster for is complete, safe, and what Compose runs."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .checks import CHECKS
from .objects import COMPONENTS, OVERLAYS, ROOT, Object, parse, render, service_name
from .parity import digests

DEPLOY = ROOT / "deploy"


@cache
def rendered(overlay: str) -> list[Object]:
    return parse(render(DEPLOY / "overlays" / overlay))


def on_top(folder: Path, overlay: str, **more: Any) -> list[Object]:
    """Render an overlay with something on top, as a release is."""
    path = (DEPLOY / "overlays" / overlay).relative_to(folder.resolve(), walk_up=True)
    text = json.dumps({"resources": [str(path)]} | more)
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    return parse(render(folder))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_sound(overlay: str, check: str) -> None:
    assert [f"{overlay}: {found}" for found in CHECKS[check](rendered(overlay))] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_a_cluster_may_bring_fits_in(component: str, tmp_path: Path) -> None:
    path = (DEPLOY / "components" / component).relative_to(tmp_path.resolve(), walk_up=True)
    without = [name for name in OVERLAYS if not uses(name, component)]
    objects = on_top(tmp_path, without[0], components=[str(path)])
    assert len(objects) > len(rendered(without[0]))
    found = [fault for check in CHECKS.values() for fault in check(objects)]
    assert [f"{without[0]} with {component}: {fault}" for fault in found] == []


def uses(overlay: str, component: str) -> bool:
    text = (DEPLOY / "overlays" / overlay / "kustomization.yaml").read_text(encoding="utf-8")
    return f"components/{component}\n" in text


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_release_reaches_every_process(overlay: str, tmp_path: Path) -> None:
    name = f"registry.example.com/team/{service_name()}"
    images = [{"name": service_name(), "newName": name, "digest": f"sha256:{'0' * 64}"}]
    assert len(list(digests(rendered(overlay)))) >= 1
    assert list(digests(on_top(tmp_path, overlay, images=images))) == []
