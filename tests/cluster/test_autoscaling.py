"""The autoscaler follows the load."""

import pytest

from tests.support.deployed_service import Deployed

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize("rendered_service", ["plain"], indirect=True, scope="session"),
]


def test_replicas_follow_the_load_and_no_request_fails(deployed: Deployed) -> None:
    """The stabilization window is short here; the overlay's is five minutes."""
    patch = (
        '{"spec": {"maxReplicas": 5, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}}}}'
    )
    autoscaler = f"horizontalpodautoscaler/{deployed.name}-web"
    deployed.kubectl("patch", autoscaler, "--patch", patch)
    with deployed.load("Autoscaling from 2 to 5") as load:
        deployed.until_ready(5)
    load.assert_none_failed()
    deployed.until_ready(2)
