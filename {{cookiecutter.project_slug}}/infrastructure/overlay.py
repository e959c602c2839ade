"""Write the outputs of a stack to its overlay: `make overlay OVERLAY=staging`.

`aws.yaml` builds the database URL, `access.yaml` is for the administrator of the cluster, and
`aws.env` has the variables of CI.
"""

import json
import re
import sys
from pathlib import Path

DEPLOY = Path(__file__).parents[1] / "deploy"
VARIABLES = {
    "AWS_REGION": "region",
    "IMAGE": "registry",
    "REGISTRY_AUDIENCE": "registry_audience",
    "PUSH_ROLE": "push_role",
    "PULL_ROLE": "pull_role",
    "CLUSTER_NAME": "cluster_name",
    "CLUSTER_SERVER": "cluster_server",
    "CLUSTER_CA": "cluster_certificate",
    "CLUSTER_AUDIENCE": "deploy_audience",
    "DATABASE_SECRET": "database_secret",
}
"""Outputs by the name of their variable."""
OTHERS = {"database_host", "deploy_subject", "registry_arn", "ci_provider"}
OUTPUTS = {*VARIABLES.values(), *OTHERS}
HEADER = """\
# Variables of CI. REGISTRY_ROLE is PUSH_ROLE where images are published and signed, and PULL_ROLE
# where they are deployed.
"""
STORE = """\
---
# External Secrets reads secrets with the identity of its pods.
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata:
  name: secrets
spec:
  provider: {aws: {service: SecretsManager, region: REGION}}
"""


def write(overlay: Path, outputs: dict[str, str]) -> None:
    """Write the three files of an overlay."""
    secrets = (overlay / "aws.yaml").read_text(encoding="utf-8")
    secrets = re.sub(r'key: "[^"]*"', f'key: "{outputs["database_secret"]}"', secrets)
    secrets = re.sub(r"@[^@:/]+:5432/", f"@{outputs['database_host']}:5432/", secrets)
    access = (DEPLOY / "access.yaml").read_text(encoding="utf-8")
    access = access.replace("SUBJECT", outputs["deploy_subject"] or "nobody")
    store = STORE.replace("REGION", outputs["region"])
    variables = "".join(f"{name}={outputs[output]}\n" for name, output in VARIABLES.items())
    (overlay / "aws.yaml").write_text(secrets, encoding="utf-8")
    (overlay / "access.yaml").write_text(access + store, encoding="utf-8")
    (overlay / "aws.env").write_text(HEADER + variables, encoding="utf-8")


def read(text: str) -> dict[str, str]:
    """Return the outputs of a stack; exit if they are not exactly the expected ones."""
    try:
        outputs = json.loads(text)
    except ValueError:
        sys.exit("make overlay: no outputs: run `pulumi up` for this stack first")
    if differing := OUTPUTS ^ outputs.keys():
        sys.exit(f"make overlay: missing or unknown outputs: {', '.join(sorted(differing))}")
    # The values become a part of YAML and of variables.
    for name, value in outputs.items():
        if not re.fullmatch(r"[\w.:/@+=!-]*", str(value)):
            sys.exit(f"make overlay: {name} has unexpected characters")
    return {name: str(value) for name, value in outputs.items()}


if __name__ == "__main__":
    folder = DEPLOY / "overlays" / sys.argv[1]
    if not (folder / "aws.yaml").is_file():
        sys.exit(f"make overlay: {sys.argv[1]} is not an overlay with an aws.yaml")
    write(folder, read(sys.stdin.read()))
