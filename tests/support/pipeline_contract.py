"""The stages that every provider's pipeline has to have, and how one differs from them."""

from collections.abc import Collection, Iterator
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
CHECKED = {name: replace(stage, on_proposals=True) for name, stage in PROPOSED.items()}
RELEASED = {
    "scan": stage("make scan", "image", "image.tar"),
    "publish": stage("make login load publish", "scan", "image.tar", "release"),
    "sign": stage("make login sign", "publish", "release"),
}
STAGING = stage("make login verify deploy probe OVERLAY=staging", "sign", "release")
PRODUCTION = stage("make login verify deploy probe OVERLAY=production", "staging", "release")
DEPLOYS = {
    "staging": replace(STAGING, environment="staging"),
    "production": replace(PRODUCTION, environment="production", approved=True),
}
WEEKLY = {"audit": Stage(("make audit",)), "update": Stage(("make update", "propose"))}
ROLLBACK = {"rollback": Stage(("make login verify deploy probe OVERLAY=… RELEASE=…",))}
"""The contract of every provider's pipeline."""


def faults(found: Pipeline, features: Collection[str]) -> Iterator[str]:
    """Yield each difference between the pipeline of a service with these features and the contract."""
    deployed = {"release", "kubernetes"} <= set(features)
    expected = CHECKED | (RELEASED if "release" in features else {}) | (DEPLOYS if deployed else {})
    yield from differences("delivery", found.delivery, expected)
    yield from differences("weekly", found.weekly, WEEKLY)
    yield from differences("by hand", found.by_hand, ROLLBACK if deployed else {})
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
