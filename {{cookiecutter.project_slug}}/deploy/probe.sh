#!/usr/bin/env bash
# Wait until a deployed service is live, ready and of the expected revision: deploy/probe.sh https://…
set -euo pipefail

url=${1%/}
expected=$REVISION
end=$((SECONDS + ${PROBE_SECONDS:-120}))

fail() {
    echo "$*" >&2
    exit 1
}

[[ $url =~ ^https?:// ]] || fail "SERVICE_URL=$url: give an address such as https://api.example.com"
if [[ ${RELEASE:-} ]]; then
    docker pull --quiet "$RELEASE" > /dev/null
    expected=$(docker inspect "$RELEASE" | sed -n 's/.*"org.opencontainers.image.revision": "\([^"]*\)".*/\1/p')
    expected=${expected%%$'\n'*}
fi
[[ $expected ]] || fail "REVISION is not set, and the image has no label with its revision"

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
        ((SECONDS < end)) || fail "$url$path: $reason"
        sleep 2
    done
    echo "$url$path: ok"
done
