#!/usr/bin/env bash
# OVERLAY=local. Without an argument: load the image of `make image` into the local cluster, print its name.
# With `secret NAMESPACE`: create the Secret of the backing services, unless it exists.
set -euo pipefail

service={{ cookiecutter.project_slug }}
values=deploy/overlays/local/secrets.env

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
[[ $id ]] || { echo "OVERLAY=local: there is no image $service:$REVISION; run make image first" >&2; exit 1; }
# Each build has another name, as a digest gives a published image.
image=$service:${id:7:12}
docker tag "$service:$REVISION" "$image"
case $context in
    kind-*) kind load docker-image "$image" --name "${context#kind-}" >&2 ;;
    k3d-*) k3d image import "$image" --cluster "${context#k3d-}" >&2 ;;
    minikube) minikube image load "$image" >&2 ;;
    docker-desktop) ;; # It shares the images of the engine.
    *) echo "OVERLAY=local: $context is not a cluster of kind, k3d, minikube or Docker Desktop" >&2; exit 1 ;;
esac
echo "$image"
