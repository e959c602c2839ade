"""Refuses a release that is not what we have built: before it runs anywhere, or runs again."""

import json
import sys
from typing import Any

from .provenance import PREDICATES, STATEMENT
from .registry import attached
from .release import Release, release
from .signer import signer

BUNDLES = {"signature", *PREDICATES}


def main() -> None:
    """Say of a release what is known of it, or in one line why it is refused."""
    asked = release()
    found = {
        name.removesuffix(".bundle"): text
        for name, text in attached(asked).items()
        if name.endswith(".bundle")
    }
    if missing := sorted(BUNDLES - found.keys()):
        sys.exit(f"{asked}: was not signed: there is no {', '.join(missing)} beside it")
    said = signer().verify(asked, {name: found[name] for name in sorted(BUNDLES)})
    for name, predicate in PREDICATES.items():
        held = json.loads(said[name])
        if wrong := misses(held, asked, predicate):
            sys.exit(f"{asked}: its {name} {wrong}")
        if name == "provenance":
            print(f"{asked} is of commit {commit(held)}")


def misses(held: dict[str, Any], asked: Release, predicate: str) -> str:
    """Return what is wrong with a statement whose signature is good; nothing if it is ours."""
    if held.get("_type") != STATEMENT or held.get("predicateType") != predicate:
        return f"says something else: {held.get('predicateType')}"
    digests = [f"sha256:{each['digest'].get('sha256')}" for each in held["subject"]]
    if digests != [asked.digest]:
        return f"is of {', '.join(digests)}"
    return ""


def commit(provenance: dict[str, Any]) -> str:
    """Return the commit that a statement of provenance names."""
    sources = provenance["predicate"]["buildDefinition"]["resolvedDependencies"]
    return str(sources[0]["digest"]["gitCommit"])


if __name__ == "__main__":
    main()
