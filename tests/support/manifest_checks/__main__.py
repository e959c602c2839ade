"""Check lists of objects: `[[names of checks, objects], ...]` on standard input, as JSON.

Write the findings of each list by check; without names, of all checks.
"""

import json
import sys
from collections.abc import Callable, Iterator

from . import compose, network, pods, references, settings
from .manifests import Object

Check = Callable[[list[Object]], Iterator[str]]

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

if __name__ == "__main__":
    findings = [
        {name: list(CHECKS[name](objects)) for name in names or CHECKS}
        for names, objects in json.load(sys.stdin)
    ]
    json.dump(findings, sys.stdout)
