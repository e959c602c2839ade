# What is deployed is checked with the rest.
.PHONY: manifests
check: manifests
# They have a target of their own.
test: export PYTEST_ADDOPTS += --ignore=tests/deploy

manifests: $(READY)  ## Check what is deployed: each overlay by itself, with the settings, with Compose
	@if command -v kubectl >/dev/null; then $(UV) run --quiet pytest --quiet --confcutdir=tests/deploy tests/deploy; \
	elif [ "$$CI" = true ]; then echo "make manifests needs kubectl, which is not installed"; exit 1; \
	else echo "Left out: manifests, which need kubectl"; fi
