#!/usr/bin/env bash
# Wait until a deployed service is live, ready and of the expected revision: deploy/probe.sh https://…
set -euo pipefail

url=${1%/}
expected=$REVISION
deadline=$((SECONDS + ${PROBE_SECONDS:-120}))

[[ $url =~ ^https?:// ]] || { echo "SERVICE_URL=$url: give an address such as https://orders.example.com" >&2; exit 1; }
if [[ ${RELEASE:-} ]]; then
    docker pull --quiet "$RELEASE" > /dev/null
    label='org.opencontainers.image.revision'
    expected=$(docker inspect "$RELEASE" | sed -n "s/.*\"$label\": \"\(.*\)\".*/\1/p" | head -1)
fi

# Print the reason why the response to PATH is not the expected one.
problem() {
    local body
    body=$(curl --silent --show-error --fail --max-time 5 "$url$1" 2>&1) || { echo "$body"; return; }
    if [[ $1 == /version && ! $body =~ \"revision\":\ ?\"$expected\" ]]; then
        echo "not revision $expected: $body"
    fi
}

for path in /livez /readyz /version; do
    while reason=$(problem $path) && [[ $reason ]]; do
        ((SECONDS < deadline)) || { echo "$url$path: $reason" >&2; exit 1; }
        sleep 2
    done
    echo "$url$path: ok"
done
