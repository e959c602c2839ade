"""Delivery rejects invalid image names, releases and signers; without `ci` it leaves no trace."""

import re
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import must_run
from tests.support.delivery_programs import DIGEST, IMAGE, error_line, python


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


@pytest.mark.parametrize(
    ("variables", "message"),
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
def test_an_invalid_image_name_or_revision_is_not_published(
    service: Path, variables: dict[str, str], message: str
) -> None:
    (service / ".reports").mkdir(exist_ok=True)
    (service / ".reports/release").write_text("an earlier one\n")
    assert message in error_line(python(service, "-m", "delivery.publish", **variables))
    assert not (service / ".reports/release").exists()


@pytest.mark.parametrize(
    ("release", "message"),
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
def test_only_a_digest_is_a_release(service: Path, release: str, message: str) -> None:
    (service / ".reports/release").unlink(missing_ok=True)
    code = "from delivery.release import release; release()"
    assert message in error_line(python(service, "-c", code, RELEASE=release))


def test_the_default_release_is_the_published_one(service: Path) -> None:
    (service / ".reports").mkdir(exist_ok=True)
    (service / ".reports/release").write_text(f"{IMAGE}@{DIGEST}\n")
    done = python(service, "-c", "from delivery.release import release; print(release())")
    assert done.stdout == f"{IMAGE}@{DIGEST}\n"


def test_an_image_that_was_not_saved_is_not_loaded(service: Path) -> None:
    message = error_line(python(service, "-m", "delivery.load", BUILT="order-service:0123456789ab"))
    assert message.startswith(".reports/image.tar is not there: make save writes it")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../x", "SIGNER=../x: is no name of a module in delivery/"),
        ("nobody", "SIGNER=nobody: there is no delivery/nobody.py"),
        ("load", "SIGNER=load: delivery/load.py has no sign and verify"),
    ],
)
def test_a_signer_is_a_module_with_two_functions(service: Path, name: str, message: str) -> None:
    code = "from delivery.signer import signer; signer()"
    assert error_line(python(service, "-c", code, SIGNER=name)) == message


def test_a_service_without_ci_does_not_mention_delivery(cookies_session: Cookies) -> None:
    service = Baker(cookies_session).bake(ci="none")
    assert not (service / "delivery").exists()
    listed = must_run("make", "help", cwd=service)
    assert not re.search("publish|sign|scan|deploy", listed)


def test_a_service_without_kubernetes_does_not_mention_deployment(service: Path) -> None:
    texts = [*(service / "delivery").iterdir(), *(service / ".github/workflows").iterdir()]
    mentioned = re.compile("deploy|kube|cluster|staging|rollback", re.IGNORECASE)
    found = [path.name for path in texts if path.is_file() and mentioned.search(path.read_text())]
    assert found == []
