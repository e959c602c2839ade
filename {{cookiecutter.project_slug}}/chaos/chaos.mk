# Experiments that take minutes; CHAOS_SCALE=0.05 is a quick look.
.PHONY: chaos

test-all: chaos

chaos: $(READY)  ## Measure the service in rolling restarts, outages, slow clients, and for leaks
	@$(UV) run --quiet --group chaos pytest chaos
