"""Looks for known faults in what the image is made of: the dependencies that are locked, no others.

Strict: a dependency that nobody knows anything of fails it, and so does nothing to look at.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

ACCEPTED = Path(__file__).with_name("accepted.yaml")
EXPORT = ["export", "--quiet", "--locked", "--no-dev", "--no-emit-project"]
AUDIT = ["--strict", "--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json"]


def accepted() -> list[str]:
    """Return the names of the findings that are accepted, each for a reason."""
    text = ACCEPTED.read_text(encoding="utf-8")
    entries = yaml.safe_load(text).get("ignore") or []
    for entry in entries:
        if not entry.get("vulnerability") or not entry.get("reason"):
            sys.exit(f"delivery/accepted.yaml: {entry}: needs a vulnerability and a reason")
    return [entry["vulnerability"] for entry in entries]


def main() -> None:
    """Print what is found and how to be rid of it; end with an error if there is anything."""
    ignored = [f"--ignore-vuln={name}" for name in accepted()]
    with TemporaryDirectory() as folder:
        locked = Path(folder) / "requirements.txt"
        uv = os.environ.get("UV", "uv")
        subprocess.run([uv, *EXPORT, f"--output-file={locked}"], check=True, capture_output=True)
        command = ["pip-audit", *AUDIT, *ignored, f"--requirement={locked}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        audited = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        words = (done.stderr.strip() or "no word").splitlines()
        sys.exit(f"Nothing could be audited: {words[-1]}")
    if not audited:
        sys.exit("Nothing could be audited: the lock has no dependencies")
    for each in audited:
        for fault in each["vulns"]:
            cure = ", ".join(fault["fix_versions"]) or "nothing yet"
            print(f"{each['name']} {each['version']}: {fault['id']}, mended by {cure}")
    if done.returncode:
        sys.exit("Known faults: take what mends them, or accept them in delivery/accepted.yaml")
    print(f"{len(audited)} dependencies have no known fault that is not accepted")


if __name__ == "__main__":
    main()
