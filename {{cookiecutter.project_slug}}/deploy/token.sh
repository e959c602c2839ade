#!/usr/bin/env bash
# Credential plugin of kubectl: a token that identifies this CI job to CLUSTER_AUDIENCE and expires soon.
set -euo pipefail

{% if cookiecutter.ci == "github" %}
url="$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$CLUSTER_AUDIENCE"
response=$(curl --silent --show-error --fail --header @- "$url" <<< "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN")
[[ $response =~ \"value\":\ *\"([^\"]+)\" ]]
token=${BASH_REMATCH[1]}
{% endif %}
{% if cookiecutter.ci == "gitlab" %}
token=$KUBERNETES_ID_TOKEN
{% endif %}
{% if cookiecutter.ci == "azure" %}
token=$(az account get-access-token --query accessToken --output tsv --resource "$CLUSTER_AUDIENCE")
{% endif %}
{% if cookiecutter.ci == "circleci" %}
token=$(circleci run oidc get --claims "{\"aud\": \"$CLUSTER_AUDIENCE\"}")
{% endif %}
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}\n' "$token"
