"""Signs a release, what is in it and where it comes from; whoever has the image can verify that."""

import json
import sys

from .provenance import PROVENANCE, SBOM, provenance, run, statement
from .registry import attach, beside
from .release import REPORTS, release
from .sbom import WRITTEN
from .signer import signer


def main() -> None:
    """Push the bundles beside the image, and leave a copy of them in `.reports/bundles`."""
    signed = release()
    if not WRITTEN.exists():
        sys.exit(".reports/sbom.cdx.json is not there: make sbom writes it")
    listed = json.loads(WRITTEN.read_text(encoding="utf-8"))
    if listed["metadata"]["component"]["version"] != signed.digest:
        sys.exit(f".reports/sbom.cdx.json is of another image than {signed}: make sbom")
    statements = {
        "provenance": statement(signed, PROVENANCE, provenance(run())),
        "sbom": statement(signed, SBOM, listed),
    }
    bundles = signer().sign(signed, statements)
    files = {f"{name}.bundle": bundle for name, bundle in bundles.items()}
    attach(signed, files)
    folder = REPORTS / "bundles"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text)
    print(f"{signed} is signed: {beside(signed)}")


if __name__ == "__main__":
    main()
