{% raw -%}
# From an image to a release that anyone can verify: IMAGE@sha256:…, signed. See README.md.
.PHONY: login scan load publish sbom sign verify digest

# The tools are images, pinned in compose.yaml. To use an installed one: make verify COSIGN=cosign
TOOL := docker compose --progress quiet --file release/compose.yaml run --rm --no-TTY
COSIGN ?= $(TOOL) cosign
SYFT ?= $(TOOL) syft
GRYPE ?= $(TOOL) grype
export DOCKER_CONFIG ?= $(HOME)/.docker

# A key signs if SIGNER_KEY names one, otherwise the identity of the CI job.
SIGNER = $(if $(SIGNER_KEY),--key "$$SIGNER_KEY") $(SIGN_OPTIONS)
TRUSTED = $(if $(SIGNER_KEY),--key "$$SIGNER_KEY",$(IDENTITY)) $(VERIFY_OPTIONS)
IDENTITY := --certificate-identity "$$SIGNER_IDENTITY" --certificate-oidc-issuer "$$SIGNER_ISSUER"
UNVERIFIED = { echo "RELEASE=$$RELEASE is not verified, do not run it: see release/README.md" >&2; exit 1; }

# Without RELEASE: what `make publish` wrote. `value` keeps make from evaluating it.
login sbom sign verify: export RELEASE := $(or $(value RELEASE),$(shell cat .reports/release 2>/dev/null))
login scan sbom sign verify: | .reports $(DOCKER_CONFIG)
.reports $(DOCKER_CONFIG):
	@mkdir -p "$@"

scan: audit  ## Search the dependencies and .reports/image.tar for known vulnerabilities
	$(GRYPE) --config release/accepted.yaml --fail-on high --only-fixed docker-archive:.reports/image.tar

load:  ## Load the image of .reports/image.tar
	docker load --quiet --input .reports/image.tar

# Every build gets its own tag, so that no tag moves and no registry deletes a release as untagged.
publish: | .reports  ## Push the image to IMAGE; write IMAGE@sha256:… to .reports/release
	@rm -f .reports/release
	@test -n "$$IMAGE" || { echo "IMAGE is not set: give IMAGE=registry.example.com/team/name" >&2; exit 1; }
	tag="$$IMAGE:$(REVISION)-$$(docker inspect --format '{{slice .Id 7 19}}' $(BUILT))" && \
		docker tag $(BUILT) "$$tag" && docker push --quiet "$$tag" && \
		docker inspect --format '{{join .RepoDigests "\n"}}' "$$tag" | grep "^$$IMAGE@" > .reports/release
	@cat .reports/release

digest:
	@echo "$$RELEASE" | grep -Eqx '[^@ ]+@sha256:[0-9a-f]{64}' || \
		{ echo "RELEASE=$$RELEASE: give IMAGE@sha256:…; a tag can move" >&2; exit 1; }

sbom: digest  ## Write the SBOM of RELEASE to .reports/sbom.cdx.json
	$(SYFT) scan "registry:$$RELEASE" --output cyclonedx-json@1.6 > .reports/sbom.cdx.json

sign: sbom  ## Sign RELEASE, and attest its SBOM
	$(COSIGN) sign --yes $(SIGNER) "$$RELEASE"
	$(COSIGN) attest --yes $(SIGNER) --type cyclonedx --predicate .reports/sbom.cdx.json "$$RELEASE"

# `cosign verify` accepts any attestation of the signer, so the one that must exist is checked too.
verify: digest  ## Verify who signed RELEASE: SIGNER_IDENTITY and SIGNER_ISSUER, or SIGNER_KEY
	@$(COSIGN) verify $(TRUSTED) "$$RELEASE" > /dev/null || $(UNVERIFIED)
	@$(COSIGN) verify-attestation $(TRUSTED) --type cyclonedx "$$RELEASE" > /dev/null || $(UNVERIFIED)
{% endraw %}
