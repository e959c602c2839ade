"""A service whose releases are published to a local registry and signed by a private Sigstore."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tools.pythons import UV

from . import commands
from .baking import Baker
from .commands import must_run
from .sigstore import IMAGES, Sigstore, local_registry, sigstore, tool, write_signing_config
from .template_releases import commit, git

NAME = "released-service"
SIGNER = "https://github.com/team/shop/.github/workflows/{}@refs/heads/{}"
OFFLINE = "--insecure-ignore-tlog --insecure-ignore-sct --use-signed-timestamps"
"""There is no transparency log; a signed timestamp replaces its time."""
Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def release_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the registry, of Sigstore and of the keys."""
    return tmp_path_factory.mktemp("release")


@pytest.fixture(scope="session")
def registry(release_folder: Path) -> Iterator[str]:
    with local_registry(release_folder) as address:
        yield address


@pytest.fixture(scope="session")
def private_sigstore(release_folder: Path) -> Iterator[Sigstore]:
    with sigstore(release_folder) as running:
        yield running


@pytest.fixture(scope="session")
def released_service(cookies_session: Cookies, release_folder: Path) -> Iterator[Path]:
    """Return a service with local images of the tools in place of the public ones."""
    service = Baker(cookies_session).bake(project_slug=NAME, release=True)
    stages = [line for line in (service / "Dockerfile").read_text().splitlines() if "FROM " in line]
    compose = service / "release/compose.yaml"
    for name in ("cosign", "syft"):
        context = release_folder / name
        context.mkdir()
        shutil.copy(tool(name), context / name)
        copied = f'COPY {name} /\nENTRYPOINT ["/{name}"]\nUSER 65532\n'
        (context / "Dockerfile").write_text(f"{stages[-1]}\n{copied}")
        must_run("docker", "build", "--quiet", "--tag", f"{NAME}-{name}", context, cwd=context)
        compose.write_text(compose.read_text().replace(IMAGES[name], f"{NAME}-{name}"))
    must_run(UV, "lock", "--quiet", cwd=service)
    commit(service)
    yield service
    listed = must_run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", cwd=service)
    names = [name for name in listed.split() if NAME in name]
    must_run("docker", "image", "rm", "--force", *names, cwd=service)


@pytest.fixture(scope="session")
def make_release(released_service: Path, registry: str) -> Make:
    """Run targets of the service; with `fails`, they must fail."""

    def run(
        *targets: str, fails: bool = False, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        image = {"IMAGE": f"{registry}/team/{NAME}"}
        done = commands.make(released_service, *targets, **image | variables)
        assert (done.returncode != 0) == fails, f"{targets}\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture(scope="session")
def publish_change(released_service: Path, make_release: Make) -> Callable[[str], str]:
    """Commit a change to the service, and publish its image; return the release."""

    def publish(change: str) -> str:
        (package,) = released_service.glob("src/*/__init__.py")
        package.write_text(f"{package.read_text()}# {change}.\n")
        git(released_service, "commit", "--all", "--quiet", "--message", change)
        make_release("image", "save", "load", "publish")
        return (released_service / ".reports/release").read_text().strip()

    return publish


@pytest.fixture(scope="session")
def key_signer(release_folder: Path) -> dict[str, str]:
    """Return the variables for a key without a transparency log; the tools are installed."""
    must_run(tool("cosign"), "generate-key-pair", cwd=release_folder, COSIGN_PASSWORD="")
    config = write_signing_config(release_folder / "key_only.json")
    return {
        "COSIGN": str(tool("cosign")),
        "SYFT": str(tool("syft")),
        "COSIGN_PASSWORD": "",
        "SIGNER_KEY": f"{release_folder}/cosign.key",
        "SIGN_OPTIONS": f"--signing-config {config}",
        "VERIFY_OPTIONS": "--insecure-ignore-tlog",
    }


@pytest.fixture(scope="session")
def keyless_signer(private_sigstore: Sigstore, released_service: Path) -> dict[str, str]:
    """Return the variables for a job of `release.yml` on main; the tools are images."""
    reports = released_service / ".reports"
    reports.mkdir(exist_ok=True)
    for path in (private_sigstore.signing_config, private_sigstore.trusted_root):
        shutil.copy(path, reports / path.name)
    root = "--trusted-root .reports/trusted_root.json"
    return {
        "SIGN_OPTIONS": f"{root} --signing-config .reports/signing_config.json",
        "VERIFY_OPTIONS": f"{root} {OFFLINE}",
        "SIGNER_IDENTITY": SIGNER.format("release.yml", "main"),
        "SIGNER_ISSUER": private_sigstore.issuer.url,
    }


@pytest.fixture(scope="session")
def signed_release(
    publish_change: Callable[[str], str],
    make_release: Make,
    keyless_signer: dict[str, str],
    private_sigstore: Sigstore,
) -> str:
    """Return a release that a job of `release.yml` on main has signed."""
    release = publish_change("Signed")
    token = {"SIGSTORE_ID_TOKEN": private_sigstore.issuer.token()}
    make_release("sign", RELEASE=release, **token, **keyless_signer)
    return release


@pytest.fixture(scope="session")
def other_release(publish_change: Callable[[str], str], signed_release: str) -> str:
    """Return a release that the trusted signer has not signed."""
    release = publish_change("Not signed")
    assert release != signed_release
    return release
