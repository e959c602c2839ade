"""Every process of a deployed service does its work."""

import json

import pytest

from tests.support.deployed_service import Deployed
from tests.support.kubernetes_cluster import until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize(
        "rendered_service", ["plain", "worker", "mongodb"], indirect=True, scope="session"
    ),
]


def test_orders_are_placed_through_the_service_and_fulfilled_by_the_worker(
    deployed: Deployed,
) -> None:
    order = deployed.place_order()
    expected = "fulfilled" if "worker" in deployed.components else "placed"
    until(
        lambda: deployed.request("GET", f"/orders/{order}"),
        lambda found: (found[0], found[1]["status"]) == (200, expected),
    )
    assert deployed.request("GET", "/readyz")[0] == 200


def test_the_scheduled_job_runs_by_hand(deployed: Deployed) -> None:
    if "worker" in deployed.components:
        # The worker's schedule replaces the CronJob.
        assert deployed.get("cronjobs") == []
        return
    cron_job = f"--from=cronjob/{deployed.name}-cleanup"
    deployed.kubectl("create", "job", "by-hand", cron_job)
    deployed.kubectl("wait", "job/by-hand", "--for=condition=Complete", "--timeout=60s")
    lines = deployed.kubectl("logs", "job/by-hand").splitlines()
    assert "old orders deleted" in {json.loads(line)["event"] for line in lines}
