# From a release to a cluster that runs it, and a check from outside.
.PHONY: manifests deploy probe

VALIDATE := $(UV) tool run --quiet kubernetes-validate==1.37.0 --kubernetes-version 1.32 --strict --quiet --no-warn

check: manifests

manifests: $(READY)  ## Validate the Kubernetes objects of each overlay, except custom resources
	@if command -v kubectl >/dev/null; then mkdir -p .reports && for overlay in deploy/overlays/*; do \
		kubectl kustomize "$$overlay" > .reports/manifests.yaml && $(VALIDATE) .reports/manifests.yaml || exit 1; done; \
	elif [ "$$CI" = true ]; then echo "make manifests needs kubectl, which is not installed"; exit 1; \
	else echo "Left out: manifests, which need kubectl"; fi

deploy:  ## Deploy RELEASE to the cluster of the kubeconfig: OVERLAY=staging
	@deploy/deploy.sh "$$OVERLAY" "$$RELEASE"

probe:  ## Wait until SERVICE_URL is ready and serves this revision, or that of RELEASE
	@deploy/probe.sh "$$SERVICE_URL"
