"""Who signs and whom one believes: the module `delivery/<SIGNER>.py`, which has two functions."""

import os
import re
import sys
from importlib import import_module
from typing import Protocol, cast

from .release import Release


class Signer(Protocol):
    """What a module of this folder needs to be a `SIGNER`.

    A bundle is whatever the module needs to verify later, as bytes: signature, certificates,
    entries of a log. Both functions read their own variables of the environment, and end with
    `sys.exit` and one line that names what is wrong.
    """

    @staticmethod
    def sign(release: Release, statements: dict[str, bytes]) -> dict[str, bytes]:
        """Sign the digest of a release and what is said of it.

        `statements` are in-toto statements (v1, JSON) by name: `provenance` and `sbom`. Each is
        signed as a DSSE envelope of the type `application/vnd.in-toto+json`. Return one bundle
        for each, by the same name, and the bundle of the digest itself as `signature`.
        """

    @staticmethod
    def verify(release: Release, bundles: dict[str, bytes]) -> dict[str, bytes]:
        """Refuse bundles that were not made for this digest by exactly whom we believe.

        `bundles` are as `sign` returned them; that none is missing was looked at before. Return
        the statements that are in them, by name; what these say is looked at by who asked.
        """


def signer() -> Signer:
    """Return the module that `SIGNER` names."""
    name = os.environ.get("SIGNER", "keyless")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        sys.exit(f"SIGNER={name}: is no name of a module in delivery/")
    try:
        found = import_module(f"{__package__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.{name}":
            raise
        sys.exit(f"SIGNER={name}: there is no delivery/{name}.py")
    if not hasattr(found, "sign") or not hasattr(found, "verify"):
        sys.exit(f"SIGNER={name}: delivery/{name}.py has no sign and verify")
    return cast(Signer, found)
