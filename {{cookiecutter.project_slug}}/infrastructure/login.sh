#!/usr/bin/env bash
# Log in to ECR without a stored key: AWS exchanges the OIDC token of the CI job for the role PUSH_ROLE.
set -euo pipefail

: "${IMAGE:?}" "${AWS_REGION:?}" "${PUSH_ROLE:?}"
scripts=(deploy/token-*.sh)
[[ -f ${scripts[0]} ]] || { echo "ecr-login needs deploy/token-*.sh, the token of the CI job" >&2; exit 1; }

# A token is a JWT: three parts of base64url.
credential=$(CLUSTER_AUDIENCE=${PUSH_AUDIENCE:-sts.amazonaws.com} "${scripts[0]}")
[[ $credential =~ \"token\":\ *\"([A-Za-z0-9._-]+)\" ]] || { echo "The CI job has no token" >&2; exit 1; }
file=$(mktemp)
trap 'rm -f "$file"' EXIT
printf %s "${BASH_REMATCH[1]}" > "$file"
export AWS_REGION AWS_ROLE_ARN=$PUSH_ROLE AWS_WEB_IDENTITY_TOKEN_FILE=$file
password=$(aws ecr get-login-password)
docker login --username AWS --password-stdin "${IMAGE%%/*}" <<< "$password"
