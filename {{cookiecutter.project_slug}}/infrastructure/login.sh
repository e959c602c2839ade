#!/usr/bin/env bash
# Log in to ECR without a stored key: AWS exchanges a token of the CI job for REGISTRY_ROLE.
set -euo pipefail

registry=${IMAGE:-$RELEASE}
: "${registry:?give IMAGE or RELEASE}" "${AWS_REGION:?}" "${REGISTRY_ROLE:?}"
export CLUSTER_AUDIENCE=${REGISTRY_AUDIENCE:-sts.amazonaws.com}
{% if cookiecutter.ci == "gitlab" %}
export KUBERNETES_ID_TOKEN=$REGISTRY_ID_TOKEN
{% endif %}

# A token is a JWT: three parts of base64url.
credential=$(deploy/token-{{ cookiecutter.ci }}.sh)
[[ $credential =~ \"token\":\ *\"([A-Za-z0-9._-]+)\" ]] || { echo "The CI job has no token" >&2; exit 1; }
file=$(mktemp)
trap 'rm -f "$file"' EXIT
printf %s "${BASH_REMATCH[1]}" > "$file"
export AWS_ROLE_ARN=$REGISTRY_ROLE AWS_WEB_IDENTITY_TOKEN_FILE=$file
password=$(aws ecr get-login-password)
docker login --username AWS --password-stdin "${registry%%/*}" <<< "$password"
