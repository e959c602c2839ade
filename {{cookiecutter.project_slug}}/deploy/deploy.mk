# From a release to a cluster that runs it, and a check from outside.
.PHONY: manifests deploy probe

check: manifests
# `make manifests` runs these.
test: export PYTEST_ADDOPTS += --ignore=tests/deploy

manifests: $(READY)  ## Check the Kubernetes manifests: each overlay, its settings, its parity with Compose
	@if command -v kubectl >/dev/null; then $(UV) run --quiet --locked pytest --quiet --confcutdir=tests/deploy tests/deploy; \
	elif [ "$$CI" = true ]; then echo "make manifests needs kubectl, which is not installed"; exit 1; \
	else echo "Left out: manifests, which need kubectl"; fi

deploy:  ## Deploy RELEASE to the cluster of the kubeconfig: OVERLAY=staging
	@deploy/deploy.sh "$$OVERLAY" "$$RELEASE"

probe:  ## Wait until SERVICE_URL is ready and serves this revision, or that of RELEASE
	@deploy/probe.sh "$$SERVICE_URL"
