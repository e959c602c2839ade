"""The stages that every provider's pipeline has to have, and how one differs from them."""

from collections.abc import Iterator
from dataclasses import replace

from .stages import Pipeline, Stage


def stage(runs: str, after: str = "", takes: str = "", keeps: str = "") -> Stage:
    """Return a stage from words between blanks."""
    return Stage((runs,), set_of(after), takes=set_of(takes), keeps=set_of(keeps))


def set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


PROPOSED = {
    "check": stage("make check"),
    "test": stage("make test"),
    "conformance": stage("make conformance"),
    "image": stage("make image smoke save", "check test conformance", keeps="image.tar"),
}
"""What a proposal passes through, as far as it gets."""
DELIVERY = {name: replace(stage, on_proposals=True) for name, stage in PROPOSED.items()} | {
    "scan": stage("make load scan", "image", "image.tar"),
    "publish": stage("make load publish", "scan", "image.tar", "release"),
    "sign": stage("make load sbom sign", "publish", "image.tar release"),
}
STAGING = stage("make verify deploy probe OVERLAY=staging", "sign", "release")
PRODUCTION = stage("make verify deploy probe OVERLAY=production", "staging", "release")
DEPLOYS = {
    "staging": replace(STAGING, environment="staging"),
    "production": replace(PRODUCTION, environment="production", approved=True),
}
WEEKLY = {"audit": Stage(("make audit",)), "update": Stage(("make update", "propose"))}
ROLLBACK = {"rollback": Stage(("make verify deploy probe OVERLAY=… RELEASE=…",))}
"""The contract: what each provider is held to, with Kubernetes and without."""


def faults(found: Pipeline, kubernetes: bool) -> Iterator[str]:
    """Yield each difference between a pipeline and the contract."""
    yield from differences("delivery", found.delivery, DELIVERY | (DEPLOYS if kubernetes else {}))
    yield from differences("weekly", found.weekly, WEEKLY)
    yield from differences("by hand", found.by_hand, ROLLBACK if kubernetes else {})
    if not found.delivered_weekly:
        yield "weekly: nothing is delivered again"


def differences(part: str, found: dict[str, Stage], wanted: dict[str, Stage]) -> Iterator[str]:
    """Yield what stages have or lack."""
    yield from (f"{part}: {name} is missing" for name in wanted.keys() - found.keys())
    yield from (f"{part}: {name} is one too many" for name in found.keys() - wanted.keys())
    for name in wanted.keys() & found.keys():
        has, should = vars(found[name]), vars(wanted[name])
        yield from (
            f"{part}: {name} {key} {has[key]!r}, not {should[key]!r}"
            for key in has
            if has[key] != should[key]
        )
