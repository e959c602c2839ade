#!/usr/bin/env bash
# Credential plugin of kubectl: a token that identifies this CI job to CLUSTER_AUDIENCE and expires soon.
set -euo pipefail

token=$(az account get-access-token --query accessToken --output tsv --resource "$CLUSTER_AUDIENCE")
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}\n' "$token"
