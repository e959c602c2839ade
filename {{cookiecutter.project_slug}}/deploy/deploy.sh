#!/usr/bin/env bash
# Deploy a release with kubectl: deploy/deploy.sh OVERLAY IMAGE@sha256:…
# First what the processes need, then the migration, then one process after the other.
# The first failure ends it.
set -euo pipefail

service={{ cookiecutter.project_slug }}
overlay=$1 release=$2 variable=RELEASE
objects=.reports/deploy/objects.yaml

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

if [[ ! $overlay =~ ^[a-z0-9-]+$ || ! -f deploy/overlays/$overlay/kustomization.yaml ]]; then
    fail "OVERLAY=$overlay: there is no such overlay; there are $(cd deploy/overlays && echo *)"
elif [[ $overlay == local ]]; then
    release=$(deploy/local.sh) variable=REVISION
    image="newTag: \"${release#*:}\""
elif [[ ! $release =~ ^[^@]+@sha256:[0-9a-f]{64}$ ]]; then
    fail "RELEASE=$release: give IMAGE@sha256:…; a tag can move"
else
    image="newName: \"${release%@*}\", digest: \"${release#*@}\""
fi

# Put the release on top of the overlay. Its version becomes a label of Deployments and Jobs alone.
version=${release##*:}
version=${version:0:12}
label='{op: add, path: /metadata/labels/app.kubernetes.io~1version, value: "'$version'"}'
mkdir -p .reports/deploy
cat > .reports/deploy/kustomization.yaml <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../deploy/overlays/$overlay]
images: [{name: $service, $image}]
patches:
  - target: {kind: Deployment|Job, labelSelector: app.kubernetes.io/name=$service}
    patch: |-
      - $label
      - ${label/metadata/spec/template/metadata}
  - target: {kind: CronJob, labelSelector: app.kubernetes.io/name=$service}
    patch: |-
      - $label
      - ${label/metadata/spec/jobTemplate/spec/template/metadata}
END
kubectl kustomize .reports/deploy > $objects
namespace=$(sed -n 's/^namespace: *//p' "deploy/overlays/$overlay/kustomization.yaml")
[[ $namespace ]] || fail "OVERLAY=$overlay: its kustomization.yaml has no namespace"
in=(--namespace "$namespace")

apply() {
    kubectl apply --server-side --force-conflicts --field-manager=make-deploy --filename $objects "$@"
}

has() {
    grep -q "^kind: $1$" $objects
}

# Wait until a command succeeds: wait_for COMPONENT COMMAND…
# End early, and show why, when a new pod of the component cannot start or its Job has failed.
wait_for() {
    local new=("${in[@]}" --selector "app.kubernetes.io/version=$version,app.kubernetes.io/component=$1")
    local output state
    shift
    for _ in {1..66}; do
        if output=$("$@" --timeout=10s 2>&1); then
            echo "${output##*$'\n'}"
            return
        fi
        state=$(kubectl get pods,jobs "${new[@]}" --output "jsonpath=$waiting $failed")
        if [[ "$state $output" =~ BackOff|InvalidImageName|ContainerConfigError|Failed|exceeded ]]; then
            break
        fi
    done
    echo "${output##*$'\n'}"
    kubectl get pods "${new[@]}" --output "jsonpath=$pods" || true
    kubectl logs "${new[@]}" --all-containers --prefix --tail=20 || true
    return 1
}
waiting='{.items[*].status.containerStatuses[*].state.waiting.reason}'
failed='{.items[*].status.conditions[?(@.type=="Failed")].type}'
pods='{range .items[*]}{.metadata.name}: {.status.conditions[?(@.status=="False")].message}
{range .status.containerStatuses[*]}  waiting: {.state.waiting.reason} {.state.waiting.message}
  terminated: {.state.terminated.message}{.lastState.terminated.message}
{end}{end}'

# Before anything is applied: no other images, all resource types, and the Secret.
images=$(sed -En 's/^ *(- )?image: //p' $objects | sort -u)
[[ $overlay == local || $images == "$release" ]] ||
    fail "OVERLAY=$overlay: runs other images than $release: ${images//$'\n'/ }"
kubectl get --filename $objects --ignore-not-found --output name > /dev/null ||
    fail "OVERLAY=$overlay: the cluster rejects these objects; deploy/README.md lists what it must have"
if [[ $overlay != local ]] && ! has ExternalSecret && grep -q "secretName: $service-secrets$" $objects; then
    kubectl get secret "${in[@]}" "$service-secrets" --output name > /dev/null ||
        fail "Create the Secret $service-secrets in the namespace $namespace first: see deploy/README.md"
fi

echo "Deploying $release to $namespace"
if [[ -z $(kubectl get namespace "$namespace" --ignore-not-found --output name) ]]; then
    apply --selector app.kubernetes.io/component=namespace
fi
if [[ $overlay == local ]]; then
    deploy/local.sh secret "$namespace"
fi
apply --selector '!app.kubernetes.io/version,app.kubernetes.io/component!=namespace'
if has ExternalSecret; then
    kubectl wait externalsecret "${in[@]}" --all --for=condition=Ready --timeout=60s || {
        kubectl get externalsecret "${in[@]}" --output "jsonpath={.items[*].status.conditions[*].message}"
        fail "The External Secrets Operator did not create the Secret; no process was changed"
    }
fi
if has StatefulSet; then
    kubectl rollout status "${in[@]}" statefulset --timeout=330s
fi

if has Job; then
    kubectl delete job "${in[@]}" "$service-migrate" --ignore-not-found
    apply --selector app.kubernetes.io/version,app.kubernetes.io/component=migrate
    wait_for migrate kubectl wait "${in[@]}" "job/$service-migrate" --for=condition=Complete ||
        fail "The migration failed; no process was changed"
fi

selector=app.kubernetes.io/version,app.kubernetes.io/component
processes=$(apply --selector "$selector!=migrate" --dry-run=server --output name)
for process in $processes; do
    component=${process##*/"$service"-}
    apply --selector "$selector=$component"
    if [[ $process == deployment* ]]; then
        wait_for "$component" kubectl rollout status "${in[@]}" "$process" ||
            fail "$process did not become ready; pods of the previous release still serve." \
                "To return to it: make deploy with its $variable"
    fi
done
