# From a stack to its overlay; see README.md.
.PHONY: overlay check-infrastructure

overlay:  ## Write the outputs of the stack to its overlay: OVERLAY=staging
	@pulumi --cwd infrastructure stack output --stack "$$OVERLAY" --json | \
		$(UV) run --quiet --no-project python -m infrastructure.overlay "$$OVERLAY"

check-infrastructure: $(filter .tools/%,$(UV))  ## Check the types of the Pulumi program; takes a minute
	@cd infrastructure && UV_PROJECT_ENVIRONMENT=.venv $(if $(filter .tools/%,$(UV)),../)$(UV) run --quiet mypy
