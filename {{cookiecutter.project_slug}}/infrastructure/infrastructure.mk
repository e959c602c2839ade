# From a stack to its overlay, and to its registry; see README.md.
.PHONY: overlay ecr-login check-infrastructure

overlay:  ## Write the outputs of the stack to its overlay: OVERLAY=staging
	@pulumi --cwd infrastructure stack output --stack "$$OVERLAY" --json | \
		$(UV) run --quiet --no-project python -m infrastructure.overlay "$$OVERLAY"

ecr-login:  ## Log in to the registry of IMAGE as this CI job: AWS_REGION, PUSH_ROLE
	@infrastructure/login.sh

check-infrastructure: $(filter .tools/%,$(UV))  ## Check the types of the Pulumi program; takes a minute
	@cd infrastructure && UV_PROJECT_ENVIRONMENT=.venv $(if $(filter .tools/%,$(UV)),../)$(UV) run --quiet mypy
