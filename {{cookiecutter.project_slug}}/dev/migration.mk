# The order of migrations, as part of `make check`.
.PHONY: migrations-check

check: migrations-check

migrations-check: $(READY)
	@$(UV) run --quiet --locked python -m dev.migration --check
