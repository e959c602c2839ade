# What maintainers of the template do, by name; CI calls the same targets.
.DEFAULT_GOAL := help
.PHONY: help demo test test-proofs test-containers check format bench ratchet packages variant

# uv, or where there is none a copy of it that Python's own pip puts under .tools/.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(CURDIR)/.tools/bin/uv)
READY := $(filter $(CURDIR)/.tools/%,$(UV))
RUN := $(UV) run --quiet
# Where Python may not keep what it has compiled, each of thousands of processes compiles all anew.
unexport PYTHONDONTWRITEBYTECODE
# Processes take groups of tests in their order. Tests of variants wait half of the time, so there
# are two a core; a fault may be that something takes too long, so there proofs have one.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SHARED := --durations 20 --durations-min 30 --dist loadgroup --no-loadscope-reorder --numprocesses
CODE := bench hooks tests tools
WORKFLOWS := .github "{{cookiecutter.project_slug}}/.github"
ACTIONS := "{{cookiecutter.project_slug}}"/.github/actions/*/action.yml
RULES := $(patsubst %,tests/rules/test_%.py,layout manifest seams ratchet)
CHECKS := check-code check-types check-files check-workflows check-rules check-renders

help:  ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'

demo: $(READY)  ## Render the default service into demo/ and serve it, with a database
	@$(RUN) python -m tools.demo demo

variant: $(READY)  ## Render a variant into variants/ and say what it is: ID=redis-yes; without, list all
	@$(RUN) python -m tools.variant "$(ID)"

test: $(READY)  ## Render every variant, check it, run own tests for each answer, update it
	@$(RUN) pytest -m "not containers and not proof and not alone" $(SHARED) $$((2 * $(CORES)))
	@echo "Left out: lives of services, own tests of further variants, conformance, faults, chaos: make test-proofs"
	@echo "Left out: the image and Compose, which need a Docker engine: make test-containers"

test-proofs: $(READY)  ## Prove what services promise, that their checks find faults, their chaos
	@$(RUN) pytest -m proof $(SHARED) $(CORES)
	@$(RUN) pytest -m alone

packages:  ## Install what tests use besides Python: servers and programs, by apt
	@.ci/packages

test-containers: $(READY)  ## Build the image, bring Compose up, use it, scale it, stop it
	@$(RUN) pytest -m containers

.PHONY: $(CHECKS)
check: $(CHECKS)  ## Check the template's own files, and three renders

check-code: $(READY)
	@$(RUN) ruff format --check --quiet $(CODE)
	@$(RUN) ruff check --quiet $(CODE)

check-types: $(READY)
	@$(RUN) mypy

check-files: $(READY)
	@$(RUN) python -m tools.own_files

check-workflows: $(READY)
	@for folder in $(WORKFLOWS); do \
		$(RUN) check-jsonschema --quiet --builtin-schema vendor.github-workflows "$$folder"/workflows/*.yml && \
		$(RUN) check-jsonschema --quiet --builtin-schema vendor.dependabot "$$folder"/dependabot.yml && \
		$(RUN) zizmor --quiet --offline --persona=auditor "$$folder" || exit 1; \
	done
	@$(RUN) check-jsonschema --quiet --builtin-schema vendor.github-actions $(ACTIONS)
	@$(RUN) python -m tools.spellings

check-rules: $(READY)
	@$(RUN) pytest --quiet --tb=line $(RULES)

check-renders: $(READY)
	@$(RUN) python -m tools.renders

format: $(READY)  ## Format the template's own files, mend what can be mended
	$(RUN) ruff check --fix --quiet $(CODE)
	$(RUN) ruff format $(CODE)

ratchet: $(READY)  ## Write down which of the numbers that may only become smaller have done so
	@$(RUN) python -m tools.ratchet

bench: $(READY)  ## Measure the default service beside the limit of its stack (needs wrk)
	@$(RUN) python -m bench

$(CURDIR)/.tools/bin/uv:
	@# From the root folder, so that no version manager insists on the Python of this one.
	cd / && python3 -m venv "$(CURDIR)/.tools" && "$(CURDIR)/.tools/bin/pip" install --quiet uv
