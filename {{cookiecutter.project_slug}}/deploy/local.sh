#!/usr/bin/env bash
# OVERLAY=local. Without an argument: load the image of `make image` into the local cluster, print its name.
# With `secret NAMESPACE`: create the Secret of the backing services, unless it exists.
set -euo pipefail

service={{ cookiecutter.project_slug }}
values=deploy/overlays/local/secrets.properties

fail() {
    echo "OVERLAY=local: $*" >&2
    exit 1
}

if [[ ${1:-} == secret ]]; then
    [[ -f $values ]] || exit 0
    if [[ -z $(kubectl get secret --namespace "$2" "$service-secrets" --ignore-not-found --output name) ]]; then
        template=$(< "$values")
        # From standard input: an argument would show the password in the list of processes.
        printf '%s\n' "${template//PASSWORD/$(openssl rand -hex 32)}" |
            kubectl create secret generic --namespace "$2" "$service-secrets" --from-env-file=/dev/stdin
    fi
    exit
fi

context=$(kubectl config current-context)
id=$(docker images --quiet --no-trunc "$service:$REVISION")
[[ $id ]] || fail "there is no image $service:$REVISION; run make image first"
# Each build has another name, as a digest gives a published image.
image=$service:${id:7:12}
case $context in
    kind-*) load=(kind load docker-image "$image" --name "${context#kind-}") ;;
    k3d-*) load=(k3d image import "$image" --cluster "${context#k3d-}") ;;
    minikube) load=(minikube image load "$image") ;;
    docker-desktop) load=(:) ;; # It shares the images of the engine.
    *) fail "$context is not a local cluster: kind, k3d, minikube, Docker Desktop" ;;
esac
docker tag "$service:$REVISION" "$image" >&2
"${load[@]}" >&2
echo "$image"
