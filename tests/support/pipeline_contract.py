"""The stages that the pipeline of every provider must have, and the differences from them."""

from collections.abc import Iterator
from dataclasses import replace

from .stages import Pipeline, Stage


def stage(runs: str, after: str = "", downloads: str = "", uploads: str = "") -> Stage:
    """Return a stage; names are separated by blanks."""
    sets = [frozenset(names.split()) for names in (after, downloads, uploads)]
    return Stage((runs,), after=sets[0], downloads=sets[1], uploads=sets[2])


PULL_REQUEST = {
    "check": stage("make check"),
    "test": stage("make test"),
    "conformance": stage("make conformance"),
    "image": stage("make image smoke save", "check test conformance", uploads="image.tar"),
}
"""The stages that also run for pull requests."""
DELIVERY = {name: replace(each, on_pull_requests=True) for name, each in PULL_REQUEST.items()} | {
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
WEEKLY = {"audit": Stage(("make audit",))}
ROLLBACK = {"rollback": Stage(("make verify deploy probe OVERLAY=… RELEASE=…",))}


def differences(found: Pipeline, kubernetes: bool) -> Iterator[str]:
    """Yield the differences between a pipeline and the contract."""
    yield from changes("delivery", found.delivery, DELIVERY | (DEPLOYS if kubernetes else {}))
    yield from changes("weekly", found.weekly, WEEKLY)
    yield from changes("manual", found.manual, ROLLBACK if kubernetes else {})
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
