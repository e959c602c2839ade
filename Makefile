# Commands for maintainers of the template; CI runs the same targets.
.DEFAULT_GOAL := help
.PHONY: help demo tour hint solution reset test test-slow test-containers test-cluster test-all kind check format bench ratchet packages variant copier
.PHONY: tour-record tour-pages

# The installed uv, or else a copy that pip installs in .tools/.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(CURDIR)/.tools/bin/uv)
READY := $(filter $(CURDIR)/.tools/%,$(UV))
RUN := $(UV) run --quiet
# Without a bytecode cache, each of thousands of processes would compile its imports again.
unexport PYTHONDONTWRITEBYTECODE
# pytest-xdist gives each process a group of tests at a time. Tests of variants wait half of the
# time, so `make test` runs two processes per core. Slow tests wait more, but check durations: one
# process more than there are cores.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SHARED := --durations 20 --durations-min 30 --dist loadgroup --no-loadscope-reorder --numprocesses
CODE := bench hooks tests tools
RULES := $(patsubst %,tests/rules/test_%.py,layout manifest seams ratchet)
CHECKS := check-code check-types check-files check-words check-workflows check-rules check-renders

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'

demo: $(READY)  ## Render the default service into demo/ and serve it
	@$(RUN) python -m tools.demo demo

# With another target, as in `make tour hint`, `tour` itself does nothing.
tour: $(READY)  ## Learn the twelve factors by fixing bugs; STEP=6, and: make tour hint, solution, reset
	@$(if $(filter hint solution reset,$(MAKECMDGOALS)),:,$(RUN) python -m tools.tour $@ "$(STEP)")

hint solution reset: $(READY)
	@$(RUN) python -m tools.tour $@ "$(STEP)"

variant: $(READY)  ## Render a variant into variants/ (ID=redis-yes), or list all variants
	@$(RUN) python -m tools.variant "$(ID)"

test: $(READY)  ## Render and check every variant, run the service's tests for each answer, update
	@$(RUN) pytest -m "not containers and not cluster and not slow and not serial" $(SHARED) $$((2 * $(CORES)))
	@echo "Not run: process lifecycles, further variants, conformance, mutants, tour, chaos (make test-slow)"
	@echo "Not run: image, Compose and releases, which need a Docker engine (make test-containers)"
	@echo "Not run: deployments to Kubernetes, which need a local cluster (make test-cluster)"

test-slow: $(READY)  ## Run slow tests: process lifecycles, further variants, conformance, mutants, tour, chaos
	@$(RUN) pytest -m slow $(SHARED) $$((1 + $(CORES)))
	@$(RUN) pytest -m serial

packages:  ## Install the servers and programs that tests use, with apt
	@.ci/packages

test-containers: $(READY)  ## Test the image, Compose and releases (needs a Docker engine and Go)
	@$(RUN) pytest -m containers

test-cluster: $(READY)  ## Test deployments to the Kubernetes cluster of kubectl, created by kind or k3d
	@$(RUN) pytest tests/cluster --dist loadgroup --no-loadscope-reorder --numprocesses 2

test-all: test test-slow test-containers test-cluster  ## Run all tests; takes an hour

kind:  ## Create a local Kubernetes cluster for make test-cluster (needs kind and kubectl)
	@.ci/kind

.PHONY: $(CHECKS)
check: $(CHECKS)  ## Check the template's files and three renders

check-code: $(READY)
	@$(RUN) ruff format --check --quiet $(CODE)
	@$(RUN) ruff check --quiet $(CODE)

check-types: $(READY)
	@$(RUN) mypy

check-files: $(READY)
	@$(RUN) python -m tools.own_files

check-words: $(READY)
	@$(RUN) python -m tools.wording

check-workflows: $(READY)
	@render=$$(mktemp -d) && trap 'rm -r "$$render"' EXIT && \
	for cloud in none aws; do $(RUN) cookiecutter --no-input --output-dir "$$render" . \
		project_name="Cloud $$cloud" release=yes kubernetes=yes cloud=$$cloud > /dev/null || exit 1; done && \
	for folder in .github "$$render"/*/.github; do \
		$(RUN) check-jsonschema --builtin-schema vendor.github-workflows "$$folder"/workflows/*.yml && \
		$(RUN) check-jsonschema --builtin-schema vendor.dependabot "$$folder"/dependabot.yml && \
		$(RUN) zizmor --quiet --offline --persona=auditor "$$folder" || exit 1; \
	done && \
	$(RUN) check-jsonschema --builtin-schema vendor.github-actions "$$render"/*/.github/actions/*/action.yml
	@$(RUN) python -m tools.ci_dialects

check-rules: $(READY)
	@$(RUN) pytest --quiet --tb=line $(RULES)

check-renders: $(READY)
	@$(RUN) python -m tools.renders

format: $(READY)  ## Format the template's own files and fix lint findings
	$(RUN) ruff check --fix --quiet --exit-zero $(CODE)
	$(RUN) ruff format $(CODE)

copier: $(READY)  ## Generate copier.yml from cookiecutter.json
	@$(RUN) python -m tools.copier_config

ratchet: $(READY)  ## Record the numbers of tests/rules/ratchet.toml that became smaller
	@$(RUN) python -m tools.ratchet

bench: $(READY)  ## Compare the default service with a minimal one on the same stack (needs wrk)
	@$(RUN) python -m bench

tour-record: $(READY)  ## Run the checks of the tour again and record them (STEP=6: of one step)
	@$(RUN) python -m tools.tour.record "$(STEP)"

tour-pages: $(READY)  ## Build the pages of the tour in docs/tour
	@$(RUN) python -m tools.tour.pages

$(CURDIR)/.tools/bin/uv:
	@# From /, where no version manager requires the Python version of this folder.
	cd / && python3 -m venv "$(CURDIR)/.tools" && "$(CURDIR)/.tools/bin/pip" install --quiet uv
