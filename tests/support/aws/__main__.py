"""Run Pulumi programs with mocks that create their resources in moto's server.

`python -m tests.support.aws SCENARIOS RESULTS` reads `[{folder, config, stack, zones}, ...]` and
writes for each the recorded resources, the outputs, what moto has, and the error. Runs with the
Python of `infrastructure/`: see `tests/support/infrastructure.py`.
"""

import json
import runpy
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pulumi
import yaml
from moto.server import ThreadedMotoServer
from pulumi.runtime.mocks import MockMonitor

from .resources import Resources


class Mocks(pulumi.runtime.Mocks):  # type: ignore[misc]  # Not installed in the template.
    """Creates and records resources."""

    def __init__(self, resources: Resources, zones: int | None) -> None:
        self.resources, self.zones = resources, zones
        self.recorded: list[dict[str, Any]] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            outputs = {
                "registry": "other/images",
                "registry_arn": "arn:aws:ecr:eu-central-1:123456789012:repository/other",
                "registry_audience": "other-audience",
                "ci_provider": "arn:aws:iam::123456789012:oidc-provider/other.example.com",
                "push_role": "other-role",
            }
            return args.name, {"name": args.name, "outputs": outputs}
        self.recorded.append({"type": args.typ, "name": args.name, "inputs": dict(args.inputs)})
        found, outputs = self.resources.create(args.typ, args.name, dict(args.inputs))
        return found, args.inputs | outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        assert args.token == "aws:index/getAvailabilityZones:getAvailabilityZones"  # noqa: S105  # A name.
        filters = [{"Name": f["name"], "Values": f["values"]} for f in args.args["filters"]]
        found = self.resources.ec2.describe_availability_zones(Filters=filters)
        zones = found["AvailabilityZones"]
        names = [zone["ZoneName"] for zone in zones if zone["State"] == args.args["state"]]
        return {"names": names[: self.zones]}


class Monitor(MockMonitor):  # type: ignore[misc]  # Not installed in the template.
    """Records on which resources a resource depends, by name."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.dependencies: dict[str, list[str]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # A method of gRPC.
        names = [urn.rpartition("::")[2] for urn in request.dependencies]
        self.dependencies[f"{request.type} {request.name}"] = names
        return super().RegisterResource(request)


def run(endpoint: str, scenario: dict[str, Any]) -> dict[str, Any]:
    """Run a program and return what it created."""
    # The URL is that of the server on this machine.
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")  # noqa: S310
    urllib.request.urlopen(reset).close()  # noqa: S310
    folder = Path(scenario["folder"])
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    defaults = {key: value["default"] for key, value in project["config"].items()}
    config = {f"{project['name']}:{key}": value for key, value in defaults.items()}
    config |= {"aws:region": "eu-central-1"}
    config |= {
        key if ":" in key else f"{project['name']}:{key}": value
        for key, value in scenario["config"].items()
    }
    resources = Resources(endpoint, "eu-central-1")
    mocks = Mocks(resources, scenario.get("zones"))
    pulumi.runtime.set_all_config(
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
    )
    stack, monitor = scenario.get("stack", "staging"), Monitor(mocks)
    pulumi.runtime.set_mocks(mocks, project["name"], stack, preview=False, monitor=monitor)
    exported: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    pulumi.export = exported.__setitem__

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[None]:
        runpy.run_path(str(folder), run_name="__main__")
        return pulumi.Output.all(**exported).apply(outputs.update)

    for module in folder.glob("[a-z]*.py"):
        sys.modules.pop(module.stem, None)
    result: dict[str, Any] = {"error": None, "type": None}
    try:
        program()
    except Exception as error:  # noqa: BLE001  # Any bug of a mutant.
        result = {"error": str(error), "type": type(error).__name__}
    return result | {
        "resources": mocks.recorded,
        "dependencies": monitor.dependencies,
        "outputs": outputs,
        "instances": resources.rds.describe_db_instances()["DBInstances"],
        "subnets": resources.ec2.describe_subnets()["Subnets"],
    }


if __name__ == "__main__":
    asked, written = map(Path, sys.argv[1:])
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    results = [run(f"http://{host}:{port}", each) for each in json.loads(asked.read_text())]
    server.stop()
    written.write_text(json.dumps(results, default=str))
