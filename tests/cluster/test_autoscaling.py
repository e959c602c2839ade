"""The autoscaler follows the load."""

import json

import pytest

from tests.support.deployed_service import CLIENTS, Deployed

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize("rendered_service", ["plain"], indirect=True, scope="session"),
]

SENSITIVE = {
    "maxReplicas": 5,
    "metrics": [
        {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 30},
            },
        }
    ],
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}},
}
"""A target that few clients exceed, and a window of seconds in place of minutes."""


def test_replicas_follow_the_load_and_no_request_fails(deployed: Deployed) -> None:
    autoscaler = f"horizontalpodautoscaler/{deployed.name}-web"
    deployed.kubectl("patch", autoscaler, "--patch", json.dumps({"spec": SENSITIVE}))
    with deployed.light_load("Autoscaling from 2 to 5", clients=CLIENTS) as load:
        deployed.until_ready(5)
    load.assert_none_failed()
    deployed.until_ready(2)
