"""The probe after a deployment: requests to the service's public URL."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.cluster import DIGEST, IMAGE, Cluster
from tests.support.fake_programs import error_of
from tests.support.running import Installed, Web, install

Responses = dict[str, list[tuple[int, str]]]
EXPECTED: Responses = {
    "/livez": [(200, "{}")],
    "/readyz": [(200, "{}")],
    "/version": [(200, '{"revision": "abc123"}')],
}


@contextmanager
def serving(responses: Responses) -> Iterator[str]:
    """Serve the responses of each path in order, the last one repeatedly."""
    remaining = {path: list(given) for path, given in responses.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = remaining[self.path]
            status, body = given.pop(0) if len(given) > 1 else given[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def installed(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(kubernetes=True, database="none"))


def probe(cluster: Cluster, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {"REVISION": "abc123", "RELEASE": "", "PROBE_SECONDS": "0", "SERVICE_URL": url}
    return cluster.make("probe", **given | variables)


def test_the_probe_succeeds_for_the_service_and_fails_for_another_revision(
    cluster: Cluster, installed: Installed
) -> None:
    with Web(installed, revision="abc123") as web:
        done = probe(cluster, f"{web.url}/")
        assert done.returncode == 0, done.stderr
        paths = [line.removeprefix(web.url) for line in done.stdout.splitlines()]
        assert paths == [f"{path}: ok" for path in EXPECTED]
        other = error_of(probe(cluster, web.url, REVISION="def456"))
        assert other.startswith(f"{web.url}/version: not revision def456: ")
        assert web.stop() == 0
    assert "/livez: curl: (7)" in error_of(probe(cluster, web.url))


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        ({"/livez": [(500, "")]}, "/livez: curl: (22) The requested URL returned error: 500"),
        ({"/readyz": [(503, "")]}, "/readyz: curl: (22) The requested URL returned error: 503"),
        ({"/version": [(200, "<html>")]}, "/version: not revision abc123: <html>"),
        ({"/version": [(200, '{"revision": "abc"}')]}, "/version: not revision abc123: {"),
        ({"/version": [(200, '{"revision": "abc1234"}')]}, "/version: not revision abc123: {"),
    ],
)
def test_an_unexpected_response_is_reported(
    cluster: Cluster, responses: Responses, message: str
) -> None:
    with serving(EXPECTED | responses) as url:
        assert message in error_of(probe(cluster, url))


def test_the_probe_retries_until_the_new_pods_respond(cluster: Cluster) -> None:
    old = {
        "/readyz": [(503, ""), *EXPECTED["/readyz"]],
        "/version": [(200, "{}"), *EXPECTED["/version"]],
    }
    with serving(EXPECTED | old) as url:
        assert probe(cluster, url, PROBE_SECONDS="60").returncode == 0


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SERVICE_URL": ""}, "SERVICE_URL=: give an address such as"),
        ({"SERVICE_URL": "orders.example.com"}, "SERVICE_URL=orders.example.com: give an address"),
        ({"REVISION": ""}, "REVISION is not set"),
    ],
)
def test_an_invalid_address_or_revision_is_rejected(
    cluster: Cluster, variables: dict[str, str], message: str
) -> None:
    assert message in error_of(probe(cluster, "http://127.0.0.1:1", **variables))


def test_the_revision_of_an_earlier_release_is_that_of_its_image(cluster: Cluster) -> None:
    labels = {"org.opencontainers.image.revision": "abc123"}
    cluster.add("docker", json.dumps([{"Config": {"Labels": labels}}], indent=4))
    release = f"{IMAGE}@{DIGEST}"
    with serving(EXPECTED) as url:
        done = probe(cluster, url, RELEASE=release, REVISION="of-the-pipeline")
    assert done.returncode == 0, done.stderr
    assert cluster.commands() == [f"docker pull --quiet {release}", f"docker inspect {release}"]
