# The example resource; deleted with it.
.PHONY: without-example

without-example: $(READY)  ## Remove the example, before the first deployment; commit first
	@$(UV) run --quiet python -m dev.without_example
	@$(MAKE) --no-print-directory format docs
