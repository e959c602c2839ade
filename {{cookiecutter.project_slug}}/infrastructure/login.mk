# The login to ECR by the identity of the CI job.
login:  ## Log in to the registry of IMAGE or RELEASE as this CI job: AWS_REGION, REGISTRY_ROLE
	@infrastructure/login.sh
