"""All that is checked of a rendered overlay: each check yields `object: field: what is wrong`."""

from collections.abc import Callable, Iterator

from . import arithmetic, network, parity, ports, references, restricted, variables
from .objects import Object

type Check = Callable[[list[Object]], Iterator[str]]

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        references.complete,
        references.selectors,
        ports.ports,
        ports.listening,
        references.names,
        variables.variables,
        variables.secrets,
        network.closed,
        network.bounded,
        network.connections,
        network.entrances,
        arithmetic.drains,
        arithmetic.grace,
        arithmetic.pools,
        restricted.restricted,
        restricted.hardened,
        parity.same_image,
        parity.same_commands,
        parity.same_backing_services,
    )
}
