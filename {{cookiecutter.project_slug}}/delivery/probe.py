"""`make probe`: asks the deployed service from outside, as those who use it do."""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from time import monotonic, sleep

from .docker import docker, inspect, logged_in
from .release import WRITTEN, release, required

SECONDS = 120
"""How long what is outside may take to lead to the new pods."""
PAUSE = 2
LABEL = "org.opencontainers.image.revision"


def main() -> None:
    """Ask until all is as it should be, or end with a line that says what is not."""
    url = required("SERVICE_URL", "https://orders.example.com").rstrip("/")
    if not url.startswith(("https://", "http://")):
        sys.exit(f"SERVICE_URL={url}: give an address that begins with https://")
    revision = expected()
    deadline = monotonic() + float(os.environ.get("PROBE_SECONDS", SECONDS))
    questions: dict[str, Callable[[bytes], str]] = {
        "/livez": lambda _: "",
        "/readyz": lambda _: "",
        "/version": lambda body: another(body, revision),
    }
    for path, judge in questions.items():
        while said := ask(url + path, judge):
            if monotonic() > deadline:
                sys.exit(f"{url}{path}: {said}")
            sleep(PAUSE)
        print(f"{url}{path}: as it should be")


def ask(url: str, judge: Callable[[bytes], str]) -> str:
    """Return what is wrong with an answer; nothing, if all is well."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # It is http or https.
            return judge(answer.read(65536))
    except urllib.error.HTTPError as error:
        return f"answers {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"does not answer: {error}"


def another(body: bytes, revision: str) -> str:
    """Tell of an answer that names another revision; `/version` answers with JSON."""
    try:
        found = json.loads(body)["revision"]
    except (ValueError, KeyError, TypeError):
        return "names no revision"
    return "" if found == revision else f"is revision {found}, and should be {revision}"


def expected() -> str:
    """Return the revision of the release: this one, or for an earlier one what its image says."""
    given = os.environ.get("RELEASE", "").strip()
    written = WRITTEN.read_text(encoding="utf-8").strip() if WRITTEN.exists() else ""
    if not given or given == written:
        return required("REVISION", "4f2a9c01d3e8")
    earlier = release()
    with logged_in(earlier.image.partition("/")[0]) as login:
        docker("pull", "--quiet", str(earlier), **login)
    labels: dict[str, str] = inspect(str(earlier))["Config"]["Labels"] or {}
    return labels.get(LABEL) or sys.exit(f"RELEASE={earlier}: its label {LABEL} is empty")


if __name__ == "__main__":
    main()
