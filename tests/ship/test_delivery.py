"""What a delivery rejects: image names, releases, signers; and what a service without one has."""

import re
import subprocess
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.delivery_programs import DIGEST, IMAGE, python, refusal
from tools.pythons import outside


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


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
