"""What a delivery refuses, and what it says of a release, as far as that needs no Docker."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.template_releases import commit
from tools.pythons import outside

DIGEST = f"sha256:{'a1' * 32}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGE = "registry.example.com/team/order-service"

GITHUB = {
    "GITHUB_SERVER_URL": "https://git.example.com",
    "GITHUB_REPOSITORY": "team/shop",
    "GITHUB_WORKFLOW_REF": "team/shop/.github/workflows/main.yml@refs/heads/main",
    "GITHUB_SHA": COMMIT,
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_EVENT_NAME": "push",
    "RUNNER_ENVIRONMENT": "github-hosted",
}
GITLAB = {
    "CI_SERVER_URL": "https://git.example.com",
    "CI_RUNNER_ID": "5",
    "CI_PROJECT_URL": "https://git.example.com/team/shop",
    "CI_COMMIT_SHA": COMMIT,
    "CI_COMMIT_REF_NAME": "main",
    "CI_CONFIG_PATH": ".gitlab-ci.yml",
    "CI_PIPELINE_URL": "https://git.example.com/team/shop/-/pipelines/7",
    "CI_PIPELINE_SOURCE": "push",
}
AZURE = {
    "SYSTEM_COLLECTIONURI": "https://git.example.com/team/",
    "SYSTEM_TEAMPROJECTID": "shop",
    "AGENT_ID": "5",
    "BUILD_REPOSITORY_URI": "https://git.example.com/team/shop",
    "BUILD_SOURCEVERSION": COMMIT,
    "BUILD_SOURCEBRANCH": "refs/heads/main",
    "BUILD_BUILDID": "7",
    "BUILD_REASON": "IndividualCI",
}
CIRCLECI = {
    "CIRCLE_ORGANIZATION_ID": "5",
    "CIRCLE_REPOSITORY_URL": "https://git.example.com/team/shop",
    "CIRCLE_SHA1": COMMIT,
    "CIRCLE_BRANCH": "main",
    "CIRCLE_WORKFLOW_ID": "7",
}
RUNS = {"github": GITHUB, "gitlab": GITLAB, "azure": AZURE, "circleci": CIRCLECI}
STATE = """
import json
from delivery.provenance import PROVENANCE, provenance, run, statement
from delivery.release import release
print(statement(release(), PROVENANCE, provenance(run())).decode())
"""


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


def python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a service, with nothing installed and no variable but these."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line with which a program has ended."""
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "IMAGE is not set; such as registry.example.com/team/order-service"),
        ({"IMAGE": f"{IMAGE}:latest"}, "give the repository alone, without tag and digest"),
        ({"IMAGE": f"{IMAGE}@{DIGEST}"}, "give the repository alone, without tag and digest"),
        ({"IMAGE": "registry.example.com/Team/shop"}, "registries take lower case alone"),
        ({"IMAGE": "order-service"}, "is no repository such as"),
        ({"IMAGE": "registry.example.com/team/a b"}, "is no repository such as"),
        ({"IMAGE": IMAGE}, "REVISION is not set"),
        ({"IMAGE": IMAGE, "REVISION": "unknown"}, "REVISION=unknown: is no commit"),
    ],
)
def test_nothing_is_published_under_a_name_that_cannot_be(
    service: Path, variables: dict[str, str], said: str
) -> None:
    (service / ".reports").mkdir(exist_ok=True)
    (service / ".reports/release").write_text("an earlier one\n")
    assert said in refusal(python(service, "-m", "delivery.publish", **variables))
    assert not (service / ".reports/release").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"{IMAGE}:latest", f"RELEASE={IMAGE}:latest: a tag can move; give IMAGE@sha256:…"),
        (IMAGE, f"RELEASE={IMAGE}: give IMAGE@sha256:…"),
        (f"{IMAGE}@sha256:{'A' * 64}", "give IMAGE@sha256:…"),
        (f"{IMAGE}@{DIGEST}0", "give IMAGE@sha256:…"),
        (f"order-service@{DIGEST}", "order-service is no repository"),
        (f"{IMAGE}:1.0@{DIGEST}", "is no repository"),
        ("", "RELEASE is not set, and there is no .reports/release: make publish writes it"),
    ],
)
def test_a_release_is_a_digest_and_nothing_else(service: Path, given: str, said: str) -> None:
    (service / ".reports/release").unlink(missing_ok=True)
    code = "from delivery.release import release; release()"
    assert said in refusal(python(service, "-c", code, RELEASE=given))


def test_without_another_word_the_release_is_what_was_published(service: Path) -> None:
    (service / ".reports").mkdir(exist_ok=True)
    (service / ".reports/release").write_text(f"{IMAGE}@{DIGEST}\n")
    done = python(service, "-c", "from delivery.release import release; print(release())")
    assert done.stdout == f"{IMAGE}@{DIGEST}\n"


def test_an_image_that_was_not_saved_is_not_loaded(service: Path) -> None:
    said = refusal(python(service, "-m", "delivery.load", BUILT="order-service:0123456789ab"))
    assert said.startswith(".reports/image.tar is not there: make save writes it")


@pytest.mark.parametrize("ci", RUNS)
def test_provenance_names_the_image_the_commit_and_the_run(
    cookies_session: Cookies, ci: str
) -> None:
    service = Baker(cookies_session).bake(ci=ci)
    release = {"RELEASE": f"{IMAGE}@{DIGEST}", "REVISION": COMMIT[:12], "PLATFORM": ci}
    done = python(service, "-c", STATE, **release, **RUNS[ci])
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["_type"], said["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )
    assert said["subject"] == [{"name": IMAGE, "digest": {"sha256": "a1" * 32}}]
    built, ran = said["predicate"]["buildDefinition"], said["predicate"]["runDetails"]
    assert built["resolvedDependencies"][0]["digest"] == {"gitCommit": COMMIT}
    assert built["externalParameters"]["workflow"]["repository"].startswith("https://git.")
    for address in (built["buildType"], ran["builder"]["id"], ran["metadata"]["invocationId"]):
        assert re.fullmatch(r"https://[a-z0-9.-]+/\S+", address), address
    for name in RUNS[ci]:
        without = {key: value for key, value in RUNS[ci].items() if key != name}
        assert refusal(python(service, "-c", STATE, **release, **without)).startswith(name)


def test_provenance_is_refused_if_the_run_is_of_another_commit(service: Path) -> None:
    release = {"RELEASE": f"{IMAGE}@{DIGEST}", "REVISION": "f" * 12, "PLATFORM": "github"}
    said = refusal(python(service, "-c", STATE, **release, **GITHUB))
    assert said == f"REVISION={'f' * 12}: the run is of commit {COMMIT}"


@pytest.mark.parametrize(
    ("platform", "said"),
    [("../x", "is no name of a module"), ("jenkins", "there is no delivery/platform_jenkins.py")],
)
def test_a_platform_that_is_not_known_is_refused(service: Path, platform: str, said: str) -> None:
    release = {"RELEASE": f"{IMAGE}@{DIGEST}", "REVISION": COMMIT[:12]}
    assert said in refusal(python(service, "-c", STATE, **release, PLATFORM=platform))


def test_a_build_by_hand_says_so_and_is_of_a_commit(cookies_session: Cookies) -> None:
    service = Baker(cookies_session).bake(ci="none", kubernetes=True)
    commit(service)
    git = ["git", "-C", str(service)]
    subprocess.run([*git, "remote", "add", "origin", "https://git.example.com/shop"], check=True)
    subprocess.run([*git, "config", "user.email", "somebody@example.com"], check=True)
    head = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    release = {"RELEASE": f"{IMAGE}@{DIGEST}", "REVISION": head[:12], "PLATFORM": "none"}
    done = python(service, "-c", STATE, **release)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["predicate"]
    assert said["runDetails"]["builder"] == {"id": "mailto:somebody@example.com"}
    (service / "README.md").write_text("changed\n")
    assert "commit your changes first" in refusal(python(service, "-c", STATE, **release))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x", "SIGNER=../x: is no name of a module in delivery/"),
        ("nobody", "SIGNER=nobody: there is no delivery/nobody.py"),
        ("load", "SIGNER=load: delivery/load.py has no sign and verify"),
    ],
)
def test_a_signer_is_a_module_with_two_functions(service: Path, name: str, said: str) -> None:
    code = "from delivery.signer import signer; signer()"
    assert refusal(python(service, "-c", code, SIGNER=name)) == said


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


def test_a_service_that_is_not_delivered_has_no_word_of_it(cookies_session: Cookies) -> None:
    service = Baker(cookies_session).bake(ci="none")
    assert not (service / "delivery").exists()
    helped = subprocess.run(
        ["make", "help"], cwd=service, env=outside(), capture_output=True, text=True, check=True
    )
    assert not re.search("publish|sign|scan|deploy", helped.stdout)


def test_a_service_that_is_not_deployed_has_no_word_of_that(service: Path) -> None:
    texts = [*(service / "delivery").iterdir(), *(service / ".github/workflows").iterdir()]
    spoken = re.compile("deploy|kube|cluster|staging|rollback", re.IGNORECASE)
    found = [path.name for path in texts if path.is_file() and spoken.search(path.read_text())]
    assert found == []


LOCKED = "fastapi==0.165.0 --hash=sha256:00\n"
PROGRAM = "#!/bin/sh\n{}\n"
FAULT = {"id": "PYSEC-1", "fix_versions": ["2.0"]}


def audited(
    service: Path, folder: Path, answer: str, status: int
) -> subprocess.CompletedProcess[str]:
    """Run the audit with a `pip-audit` that answers so, for the real one asks the internet."""
    for name, does in {
        "uv": 'for last; do :; done; printf \'%s\' "$LOCKED" > "${last#*=}"',
        "pip-audit": f"echo \"$@\" > {folder}/asked; printf '%s' '{answer}'; exit {status}",
    }.items():
        (folder / name).write_text(PROGRAM.format(does))
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return python(service, "-m", "delivery.audit", PATH=path, LOCKED=LOCKED)


def test_an_audit_is_strict_and_passes_if_nothing_is_known(service: Path, tmp_path: Path) -> None:
    found = {"dependencies": [{"name": "fastapi", "version": "0.165.0", "vulns": []}]}
    done = audited(service, tmp_path, json.dumps(found), 0)
    assert (done.returncode, done.stderr) == (0, "")
    asked = (tmp_path / "asked").read_text().split()
    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(asked)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ('{"dependencies": []}', 0, "Nothing could be audited: the lock has no dependencies"),
        ("", 1, "Nothing could be audited: no word"),
        ("", 0, "Nothing could be audited: no word"),
        ("{}", 0, "Nothing could be audited: no word"),
        (
            json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [FAULT]}]}),
            1,
            "Known faults: take what mends them",
        ),
    ],
)
def test_an_audit_fails_for_a_fault_and_for_want_of_an_answer(
    service: Path, tmp_path: Path, answer: str, status: int, said: str
) -> None:
    assert said in refusal(audited(service, tmp_path, answer, status))


def test_what_is_accepted_has_a_reason_and_is_told_to_the_audit(
    cookies_session: Cookies, tmp_path: Path
) -> None:
    service = Baker(cookies_session).bake()
    accepted = service / "delivery/accepted.yaml"
    found = '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'
    entry = "ignore:\n  - vulnerability: CVE-1\n"
    accepted.write_text(accepted.read_text().replace("ignore: []\n", entry))
    assert "needs a vulnerability and a reason" in refusal(audited(service, tmp_path, found, 0))
    accepted.write_text(accepted.read_text() + "    reason: It is not reached.\n")
    assert audited(service, tmp_path, found, 0).returncode == 0
    assert "--ignore-vuln=CVE-1" in (tmp_path / "asked").read_text()
