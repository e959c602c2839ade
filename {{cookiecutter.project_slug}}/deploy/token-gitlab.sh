#!/usr/bin/env bash
# Credential plugin of kubectl: a token that identifies this CI job to CLUSTER_AUDIENCE and expires soon.
set -euo pipefail

token=$KUBERNETES_ID_TOKEN
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}\n' "$token"
