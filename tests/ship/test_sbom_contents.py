"""The SBOM lists the Python and system packages that an image contains."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


LIST = """
import sys
from delivery.contents import components, files
for each in components(files(sys.stdin.buffer)):
    print(each["bom-ref"], each.get("purl") is not None, each.get("licenses"))
"""
DEBIAN = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2:2.42+really1-3

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
ALPINE = "P:musl\nV:1.2.5-r10\nA:x86_64\n\nP:busybox\nV:1.37.0-r1\nA:x86_64\n"
SITE = "app/.venv/lib/python3.13/site-packages"


def image_of(**files: str) -> bytes:
    """Return an exported file system with these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def listed(service: Path, **files: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=service,
        input=image_of(**files),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().splitlines()


def test_what_is_in_an_image_is_told_by_its_own_files(service: Path) -> None:
    metadata = "Name: {}\nVersion: {}\nLicense-Expression: MIT\n\nName: text\n"
    files: dict[str, Any] = {
        f"{SITE}/Flask_Login-1.0+x.dist-info/METADATA": metadata.format("Flask_Login", "1.0+x"),
        f"{SITE}/own-0.1.dist-info/METADATA": "Name: own\nVersion: 0.1\n",
        f"{SITE}/own-0.1.dist-info/direct_url.json": "{}",
        "usr/lib/os-release": 'ID=debian\nVERSION_ID="13"\n',
        "var/lib/dpkg/status": DEBIAN,
        "app/src/other/METADATA": "Name: none\nVersion: 1\n",
    }
    assert listed(service, **files) == [
        "own@0.1 False None",
        "pkg:deb/debian/libc6@2:2.42%2Breally1-3?arch=amd64&distro=debian-13 True None",
        "pkg:pypi/flask-login@1.0%2Bx True [{'expression': 'MIT'}]",
    ]


@pytest.mark.parametrize("place", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_what_is_in_an_image_of_alpine_is_told_as_well(service: Path, place: str) -> None:
    system = "ID=alpine\nVERSION_ID=3.23.1\n"
    assert listed(service, **{place: ALPINE, "usr/lib/os-release": system}) == [
        "pkg:apk/alpine/busybox@1.37.0-r1?arch=x86_64&distro=alpine-3.23.1 True None",
        "pkg:apk/alpine/musl@1.2.5-r10?arch=x86_64&distro=alpine-3.23.1 True None",
    ]
