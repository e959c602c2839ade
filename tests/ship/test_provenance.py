"""Provenance names the image, the commit and the CI run, and is rejected if they disagree."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.delivery_programs import COMMIT, DIGEST, GITHUB, IMAGE, RUNS, error_line, python
from tests.support.template_releases import commit

STATE = """
import json
from delivery.provenance import PROVENANCE, provenance, run, statement
from delivery.release import release
print(statement(release(), PROVENANCE, provenance(run())).decode())
"""


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


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
        assert error_line(python(service, "-c", STATE, **release, **without)).startswith(name)


def test_provenance_is_refused_if_the_run_is_of_another_commit(service: Path) -> None:
    release = {"RELEASE": f"{IMAGE}@{DIGEST}", "REVISION": "f" * 12, "PLATFORM": "github"}
    said = error_line(python(service, "-c", STATE, **release, **GITHUB))
    assert said == f"REVISION={'f' * 12}: the run is of commit {COMMIT}"


@pytest.mark.parametrize(
    ("platform", "said"),
    [("../x", "is no name of a module"), ("jenkins", "there is no delivery/platform_jenkins.py")],
)
def test_a_platform_that_is_not_known_is_refused(service: Path, platform: str, said: str) -> None:
    release = {"RELEASE": f"{IMAGE}@{DIGEST}", "REVISION": COMMIT[:12]}
    assert said in error_line(python(service, "-c", STATE, **release, PLATFORM=platform))


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
    assert "commit your changes first" in error_line(python(service, "-c", STATE, **release))
