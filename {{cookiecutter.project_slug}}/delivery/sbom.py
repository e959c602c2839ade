"""Lists what is in an image, as a bill of materials: CycloneDX 1.6, the same for the same image."""

import json
import re
import subprocess
import sys
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from .contents import Component, components, files, interpreter
from .docker import docker, inspect
from .registry import manifest
from .release import REPORTS, Release, release, required

WRITTEN = REPORTS / "sbom.cdx.json"


def main() -> None:
    """Read the image that is loaded, which has to be the one that was published."""
    listed = release()
    built = required("BUILT", "order-service:0123456789ab")
    image = inspect(built)
    if image["Id"] not in (listed.digest, manifest(listed).get("config", {}).get("digest")):
        sys.exit(f"{built} is another image than {listed}: make load publish")
    bill = bill_of(listed, image, [*in_image(built), *interpreter(image["Config"]["Env"])])
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"delivery/sbom.py makes no CycloneDX 1.6: {str(fault.data)[:300]}")
    half = WRITTEN.with_suffix(".half")
    half.write_text(text, encoding="utf-8")
    half.replace(WRITTEN)
    print(f".reports/sbom.cdx.json: {len(bill['components'])} components of {listed}")


def in_image(built: str) -> list[Component]:
    """Return the packages in the file system of an image, which is not run."""
    container = docker("create", "--network=none", built).strip()
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
            assert export.stdout is not None  # noqa: S101  # It is a pipe.
            found = components(files(export.stdout))
            export.stdout.read()
    finally:
        docker("rm", container)
    if not found:
        sys.exit(f"{built}: nothing in it tells of packages")
    return found


def bill_of(listed: Release, image: dict[str, Any], found: list[Component]) -> dict[str, Any]:
    """Return the bill of a release: what it is, and what is in it."""
    name = listed.image.rpartition("/")[2]
    address = f"pkg:oci/{name}@{quote(listed.digest)}?repository_url={quote(listed.image, safe='')}"
    revision = image["Config"]["Labels"]["org.opencontainers.image.revision"]
    itself = {
        "type": "container",
        "bom-ref": address,
        "purl": address,
        "name": listed.image,
        "version": listed.digest,
        "hashes": [{"alg": "SHA-256", "content": listed.digest.removeprefix("sha256:")}],
        "properties": [{"name": "org.opencontainers.image.revision", "value": revision}],
    }
    # When the image was made, not when this looked at it.
    made = re.sub(r"(\.\d+)?(Z|[+-]\d\d:\d\d)$", r"\2", image["Created"])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, str(listed)).urn,
        "version": 1,
        "metadata": {"timestamp": made, "component": itself},
        "components": sorted(found, key=lambda each: str(each["bom-ref"])),
    }


if __name__ == "__main__":
    main()
