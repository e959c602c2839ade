"""The stages that the pipeline of every provider must have, and the differences from them."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from .stages import Pipeline, Stage


def stage(runs: str, after: str = "", downloads: str = "", uploads: str = "") -> Stage:
    """Return a stage; names are separated by blanks."""
    sets = [frozenset(names.split()) for names in (after, downloads, uploads)]
    return Stage((runs,), after=sets[0], downloads=sets[1], uploads=sets[2])


CHECKED = {
    "check": stage("make check"),
    "test": stage("make test"),
    "conformance": stage("make conformance"),
    "image": stage("make image smoke save", "check test conformance", uploads="image.tar"),
}
CHECKS = {name: replace(each, on_pull_requests=True) for name, each in CHECKED.items()}
"""The stages that also run for pull requests."""
RELEASE = {
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
WEEKLY = {"audit": Stage(("make audit",))}
ROLLBACK = {"rollback": Stage(("make login verify deploy probe OVERLAY=… RELEASE=…",))}


def differences(found: Pipeline, features: Collection[str]) -> Iterator[str]:
    """Yield the differences between a pipeline and the contract for a service with features."""
    deployed = {"release", "kubernetes"} <= set(features)
    expected = CHECKS | (RELEASE if "release" in features else {}) | (DEPLOYS if deployed else {})
    yield from changes("delivery", found.delivery, expected)
    yield from changes("weekly", found.weekly, WEEKLY)
    yield from changes("manual", found.manual, ROLLBACK if deployed else {})
    if not found.delivered_weekly:
        yield "weekly: no delivery"


def changes(part: str, found: dict[str, Stage], expected: dict[str, Stage]) -> Iterator[str]:
    """Yield the missing, surplus and different stages of one part."""
    yield from (f"{part}: {name} is missing" for name in expected.keys() - found.keys())
    yield from (f"{part}: {name} is surplus" for name in found.keys() - expected.keys())
    for name in expected.keys() & found.keys():
        has, should = vars(found[name]), vars(expected[name])
        yield from (
            f"{part}: {name} {key} is {has[key]!r}, not {should[key]!r}"
            for key in has
            if has[key] != should[key]
        )
