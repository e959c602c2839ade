"""What is in an image: the packages that its files tell of, of Python and of its base."""

import re
import tarfile
from collections.abc import Iterable, Iterator
from email.parser import HeaderParser
from typing import IO, Any
from urllib.parse import quote

METADATA = re.compile(r".*/site-packages/[^/]+\.dist-info/(METADATA|direct_url\.json)")
DATABASES = {
    "var/lib/dpkg/status": "deb",
    "lib/apk/db/installed": "apk",
    "usr/lib/apk/db/installed": "apk",
}
"""Where the base image keeps what is installed: Debian's way, and Alpine's."""
SYSTEM = "usr/lib/os-release"

Files = dict[str, str]
Component = dict[str, Any]


def files(exported: IO[bytes]) -> Files:
    """Return those files of an exported file system that tell of packages, by their path."""
    found = {}
    with tarfile.open(fileobj=exported, mode="r|") as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            told = path in DATABASES or path == SYSTEM or METADATA.fullmatch(path)
            if told and member.isfile() and (content := archive.extractfile(member)):
                found[path] = content.read().decode(errors="replace")
    return found


def components(found: Files) -> list[Component]:
    """Return each package once, in order."""
    listed = [*of_python(found), *of_base(found)]
    return [by for _, by in sorted({each["bom-ref"]: each for each in listed}.items())]


def of_python(found: Files) -> Iterator[Component]:
    """Return what is installed below any `site-packages`."""
    for path, text in found.items():
        folder, _, name = path.rpartition("/")
        if name != "METADATA":
            continue
        told = HeaderParser().parsestr(text)
        package = re.sub(r"[-_.]+", "-", told["Name"]).lower()
        made: Component = {"type": "library", "name": package, "version": told["Version"]}
        if expression := told["License-Expression"]:
            made["licenses"] = [{"expression": expression}]
        if f"{folder}/direct_url.json" in found:
            # It came from here, so an index that has one of this name has another.
            yield made | {"bom-ref": f"{package}@{told['Version']}"}
        else:
            yield with_address(made, f"pkg:pypi/{package}@{quote(told['Version'])}")


def of_base(found: Files) -> Iterator[Component]:
    """Return what the package manager of the base image has installed."""
    system = dict(re.findall(r'^(\w+)="?([^"\n]*)', found.get(SYSTEM, ""), re.MULTILINE))
    # Debian that is not released yet has a name, but no number.
    release = system.get("VERSION_ID") or system.get("VERSION_CODENAME", "unknown")
    name = system.get("ID", "linux")
    for path, kind in DATABASES.items():
        for package, version, architecture in packages(found.get(path, ""), kind):
            made = {"type": "library", "name": package, "version": version}
            about = f"?arch={architecture}&distro={name}-{release}"
            version_quoted = quote(version, safe="~:")
            yield with_address(made, f"pkg:{kind}/{name}/{quote(package)}@{version_quoted}{about}")


def packages(database: str, kind: str) -> Iterator[tuple[str, str, str]]:
    """Return name, version and architecture of each entry of a database of packages."""
    keys = {"deb": ("Package", "Version", "Architecture"), "apk": ("P", "V", "A")}[kind]
    for entry in database.split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", entry, re.MULTILINE))
        if kind == "deb" and not fields.get("Status", "").endswith(" installed"):
            continue
        if all(key in fields for key in keys):
            name, version, architecture = (fields[key] for key in keys)
            yield name, version, architecture


def with_address(component: Component, address: str) -> Component:
    """Return the component with what it is called everywhere: its package URL."""
    return component | {"purl": address, "bom-ref": address}


def interpreter(environment: Iterable[str]) -> Iterator[Component]:
    """Return Python itself, which the base image has built and says so in its environment."""
    for entry in environment:
        name, _, version = entry.partition("=")
        if name == "PYTHON_VERSION":
            made = {"type": "application", "name": "python", "version": version}
            yield with_address(made, f"pkg:generic/python@{version}")
