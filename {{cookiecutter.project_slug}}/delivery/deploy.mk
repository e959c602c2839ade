# From a release to a cluster that runs it, and a look at it from outside.
.PHONY: deploy probe

deploy: $(READY)  ## Bring RELEASE to the cluster: OVERLAY=staging
	@$(DELIVERY) delivery.deploy

probe: $(READY)  ## Ask the deployed service from outside: SERVICE_URL=https://…
	@$(DELIVERY) delivery.probe
