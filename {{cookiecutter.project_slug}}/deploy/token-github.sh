#!/usr/bin/env bash
# Credential plugin of kubectl: a token that identifies this CI job to CLUSTER_AUDIENCE and expires soon.
set -euo pipefail

url="$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$CLUSTER_AUDIENCE"
response=$(curl --silent --show-error --fail --header @- "$url" <<< "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN")
[[ $response =~ \"value\":\ *\"([^\"]+)\" ]]
token=${BASH_REMATCH[1]}
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}\n' "$token"
