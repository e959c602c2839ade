# From an image to a release that can be verified; what passes from one job to the next is in .reports.
.PHONY: save load scan audit publish sbom sign verify

# The image as `make image` names it, the system of CI that says what a run is, and who signs.
export BUILT := {{ cookiecutter.project_slug }}:$(REVISION)
export PLATFORM := {{ cookiecutter.ci }}
export SIGNER ?= keyless
# By its digest as well: whoever moves a tag changes nothing here.
SCANNER ?= anchore/grype:v0.120.1@sha256:e4a44ef45d285b829ce6efe2642980329661bd2d18eab5fc539138d4adaebbbe
# Nothing but what is locked, by its hashes, in an environment that nobody else has.
DELIVERY := $(UV) run --quiet --locked --isolated --only-group delivery python -m

save:  ## Write the image that is built into .reports/image.tar
	@mkdir -p .reports
	docker save --output .reports/image.tar $(BUILT)

load:  ## Load the image of .reports/image.tar
	@$(UV) run --quiet --no-project python -m delivery.load

scan: audit  ## Look for known faults in the dependencies and in .reports/image.tar
	docker run --rm --volume "$(CURDIR)/.reports/image.tar:/image.tar:ro" \
		--volume "$(CURDIR)/delivery/accepted.yaml:/accepted.yaml:ro" \
		$(SCANNER) --config /accepted.yaml docker-archive:/image.tar

audit: $(READY)  ## Look for known faults in the dependencies that are locked
	@$(DELIVERY) delivery.audit

publish:  ## Push the image to IMAGE, write .reports/release
	@$(UV) run --quiet --no-project python -m delivery.publish

sbom: $(READY)  ## List what is in the image of RELEASE: .reports/sbom.cdx.json
	@$(DELIVERY) delivery.sbom

sign: $(READY)  ## Sign RELEASE and what is said of it, and push that beside it
	@$(DELIVERY) delivery.sign

verify: $(READY)  ## Refuse a RELEASE that others have signed, or nobody
	@$(DELIVERY) delivery.verify
