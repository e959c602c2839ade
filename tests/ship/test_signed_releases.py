"""A release from end to end: built, saved, published to a registry, listed, signed, verified.

All is real, but for who signs: that needs Sigstore, which is on the internet. A module that stands
in for it signs with a key of its own; what is refused is refused by the service's own code.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.delivery_programs import GITHUB
from tests.support.needs import docker_is_running
from tests.support.running import free_ports
from tests.support.signing import (
    BORROW,
    NAME,
    STAND_IN,
    head_of,
    last,
    local_registry,
    remove_images,
    tags,
)
from tests.support.template_releases import commit, git
from tools.pythons import UV, outside

pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(not docker_is_running(), reason="no Docker engine answers `docker info`"),
]

MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json"

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    folder = Baker(cookies_session).bake(project_slug=NAME)
    (folder / "delivery/stand_in.py").write_text(STAND_IN)
    subprocess.run([UV, "lock", "--quiet"], cwd=folder, env=outside(), check=True)
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def make(service: Path, registry: str) -> Iterator[Make]:
    """Run targets as a run on GitHub would; `refused` ones end with an error."""

    def run(
        *targets: str, refused: bool = False, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        head = head_of(service)
        made = {"IMAGE": f"{registry}/team/{NAME}", "SIGNER": "stand_in"}
        done = subprocess.run(
            ["make", f"UV={UV}", *targets],
            cwd=service,
            env=outside() | GITHUB | {"GITHUB_SHA": head} | made | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == refused, f"{targets}\n{done.stdout}{done.stderr}"
        return done

    yield run
    remove_images(registry)


@pytest.fixture(scope="module")
def built(make: Make) -> None:
    make("image", "save")


@pytest.fixture(scope="module")
def first(built: None, make: Make, service: Path) -> str:
    """The first release: its digest is what was written."""
    del built
    make("load", "publish")
    make("sbom", "sign")
    return (service / ".reports/release").read_text().strip()


def test_a_release_is_what_the_registry_has_by_its_digest(first: str, registry: str) -> None:
    assert first.startswith(f"{registry}/team/{NAME}@sha256:")
    digest = first.partition("@")[2]
    url = f"http://{registry}/v2/team/{NAME}/manifests/{digest}"
    answer = httpx.get(url, headers={"Accept": MANIFESTS})
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (200, digest)


def test_a_release_that_was_signed_is_verified(first: str, make: Make, service: Path) -> None:
    head = head_of(service)
    assert f"{first} is of commit {head}" in make("verify").stdout
    assert f"{first} is of commit {head}" in make("verify", RELEASE=first).stdout


def test_the_same_build_published_again_is_the_same_release(
    first: str, make: Make, registry: str, service: Path
) -> None:
    before = tags(registry)
    make("load", "publish")
    assert (service / ".reports/release").read_text().strip() == first
    assert tags(registry) == before


def test_the_bill_lists_what_the_image_has_and_is_always_the_same(
    first: str, make: Make, service: Path
) -> None:
    bill = service / ".reports/sbom.cdx.json"
    before = bill.read_bytes()
    make("sbom")
    assert bill.read_bytes() == before
    read = json.loads(before)
    itself = read["metadata"]["component"]
    assert f"{itself['name']}@{itself['version']}" == first
    assert {p["value"] for p in itself["properties"]} == {head_of(service)[:12]}
    kinds = {part["purl"].partition("/")[0] for part in read["components"] if "purl" in part}
    assert kinds == {"pkg:deb", "pkg:pypi", "pkg:generic"}
    names = {part["name"] for part in read["components"]}
    assert {"fastapi", "uvicorn", "libc6", "python", NAME} <= names
    assert not names & {"pytest", "ruff", "mypy"}


def test_the_bill_of_another_image_is_refused(first: str, make: Make, service: Path) -> None:
    del first
    label = "FROM {}\nLABEL other=1\n"
    revision = head_of(service)[:12]
    built, kept = f"{NAME}:{revision}", f"{NAME}:kept"
    subprocess.run(["docker", "tag", built, kept], check=True)
    try:
        build = ["docker", "build", "--quiet", "--tag", built, "-"]
        subprocess.run(build, input=label.format(kept).encode(), check=True, capture_output=True)
        assert "is another image than" in last(make("sbom", refused=True))
    finally:
        subprocess.run(["docker", "tag", kept, built], check=True)


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ("{repository}:latest", "a tag can move; give IMAGE@sha256:…"),
        ("{repository}@sha256:" + "0" * 64, "was not signed: there is no provenance, sbom, signat"),
    ],
)
def test_what_nobody_has_signed_is_refused(first: str, make: Make, release: str, said: str) -> None:
    asked = release.format(repository=first.partition("@")[0])
    assert said in last(make("verify", refused=True, RELEASE=asked))


def test_a_registry_that_is_away_is_said_to_be(make: Make) -> None:
    away = f"127.0.0.1:{free_ports(1)[0]}/team/{NAME}@sha256:{'0' * 64}"
    assert "its registry does not answer" in last(make("verify", refused=True, RELEASE=away))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "SIGNER_IDENTITY is not set"),
        ({"SIGNER_IDENTITY": "https://git.example.com/*"}, "has to be exact"),
        ({"SIGNER_IDENTITY": "https://git.example.com/a"}, "SIGNER_ISSUER is not set"),
        (
            {"SIGNER_IDENTITY": "https://git.example.com/a", "SIGNER_ISSUER": "https://.*"},
            "has to be exact",
        ),
        (
            {"SIGNER_IDENTITY": "https://git.example.com/a", "SIGNER_ISSUER": "https://b.example"},
            "is refused",
        ),
    ],
)
def test_without_a_key_exactly_one_is_believed_and_never_what_others_signed(
    first: str, make: Make, variables: dict[str, str], said: str
) -> None:
    done = make("verify", refused=True, SIGNER="keyless", RELEASE=first, **variables)
    assert said in last(done)


def test_without_a_key_nothing_is_signed_by_whom_nobody_knows(first: str, make: Make) -> None:
    assert "SIGNER=keyless" in last(make("sign", refused=True, SIGNER="keyless", RELEASE=first))


@pytest.fixture(scope="module")
def second(first: str, make: Make, service: Path) -> str:
    """The release after a change."""
    del first
    (package,) = service.glob("src/*/__init__.py")
    package.write_text(package.read_text() + "# Changed.\n")
    git(service, "commit", "--all", "--quiet", "--message", "Change")
    make("image", "save", "load", "publish")
    return (service / ".reports/release").read_text().strip()


def test_a_change_is_another_release_and_the_one_before_can_still_be_had(
    first: str, second: str, make: Make, registry: str
) -> None:
    assert second != first
    assert "was not signed" in last(make("verify", refused=True, RELEASE=second))
    make("verify", RELEASE=first)
    for release in (first, second):
        url = f"http://{registry}/v2/team/{NAME}/manifests/{release.partition('@')[2]}"
        assert httpx.get(url, headers={"Accept": MANIFESTS}).status_code == 200


def test_the_bill_of_the_release_before_is_not_signed_for_this_one(second: str, make: Make) -> None:
    assert f"is of another image than {second}" in last(make("sign", refused=True))


@pytest.fixture(scope="module")
def both(first: str, second: str) -> tuple[str, str]:
    return first, second


@pytest.mark.parametrize(
    ("signed", "said"),
    [(False, "its signature is of another digest"), (True, "its provenance is of sha256:")],
)
def test_what_was_signed_of_another_image_proves_nothing(
    both: tuple[str, str], make: Make, service: Path, *, signed: bool, said: str
) -> None:
    borrow = BORROW.format(releases=both, signed=signed)
    delivery = ["--quiet", "--locked", "--isolated", "--only-group", "delivery"]
    run = [UV, "run", *delivery, "python", "-c", borrow]
    subprocess.run(run, cwd=service, env=outside(), check=True)
    assert said in last(make("verify", refused=True, RELEASE=both[1]))
