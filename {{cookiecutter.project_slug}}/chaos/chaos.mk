.PHONY: chaos

test-all: chaos

chaos: $(READY)  ## Measure rolling restarts, outages, slow clients and leaks (minutes; CHAOS_SCALE=0.05 is short)
	@$(UV) run --quiet --group chaos pytest chaos
