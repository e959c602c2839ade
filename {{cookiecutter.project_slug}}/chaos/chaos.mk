# Experiments: they print each measurement with its bound, and take twenty minutes on an idle machine.
# CHAOS_SCALE=0.05 shortens all of them, for a first look. CHAOS_RATE (200) is the number of requests
# per second that the machine can serve. haproxy and slowhttptest are used if they are installed.
.PHONY: chaos

test-all: chaos

chaos: $(READY)  ## Measure rolling restarts, outages, slow clients and leaks (see chaos/chaos.mk)
	@$(UV) run --quiet --group chaos pytest chaos
