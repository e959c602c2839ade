"""Tells `kubectl` who CI is: a token of minutes, made for this cluster alone.

It is printed for `kubectl` to read, and stands on no command line, in no file and in no log.
"""

import json
import os
import re
import subprocess
import sys

AUDIENCE = os.environ.get("CLUSTER_AUDIENCE") or "kubernetes"
"""Whom the token is for: other clusters refuse it."""
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
"""A JSON Web Token; what asks for one may also print that there is none."""
ASK = [
    {% if cookiecutter.ci == "azure" %}
    *("az", "account", "get-access-token", "--query=accessToken", "--output=tsv", "--resource"),
    {% endif %}
    {% if cookiecutter.ci != "azure" %}
    *(sys.executable, "-m", "id"),
    {% endif %}
    AUDIENCE,
]


def main() -> None:
    """Print the credential in the words of Kubernetes, or say why there is none."""
    done = subprocess.run(ASK, capture_output=True, text=True, check=False)
    token = done.stdout.strip()
    if done.returncode or not TOKEN.fullmatch(token):
        reason = done.stderr.strip().rpartition("\n")[2] or "nothing here says who runs this"
        sys.exit(f"CLUSTER_AUDIENCE={AUDIENCE}: no token: {reason}")
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": token},
    }
    print(json.dumps(credential))


if __name__ == "__main__":
    main()
