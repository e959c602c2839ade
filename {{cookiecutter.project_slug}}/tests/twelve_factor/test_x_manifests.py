"""X. Dev/prod parity, of what is deployed: the image, the commands and the settings of Compose."""

import shutil

import pytest

from ..deploy.checks import CHECKS
from ..deploy.objects import OVERLAYS, ROOT, parse, render
from .report import Figures

PARITY = ("same_image", "same_commands", "same_backing_services", "connections", "variables")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_deployed_is_what_compose_runs(overlay: str, measured: Figures) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    objects = parse(render(ROOT / "deploy" / "overlays" / overlay))
    assert [f"{overlay}: {found}" for name in PARITY for found in CHECKS[name](objects)] == []
    measured(overlay, len(objects), "objects", at_least=10)
